#include <stdio.h>
#include <unistd.h>

static int twice(int n)
{
	int result = n * 2;
	return result;
}

int main(void)
{
	char name[32];
	int sum = 0;
	for (int i = 1; i <= 3; i++)
		sum += twice(i);
	printf("name? ");
	fflush(stdout);
	if (!fgets(name, sizeof name, stdin))
		return 1;
	printf("hello %ssum %d\n", name, sum);
	for (volatile int spin = 1; spin;)
		usleep(1000);
	return 0;
}
