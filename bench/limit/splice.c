/* splice [LOG]: its input to its output, past itself; with a LOG through itself, to both. */
#include "bench.h"

static void put(int fd, const char *p, ssize_t n)
{
	for (ssize_t done; n > 0; p += done, n -= done)
		if ((done = write(fd, p, n)) < 0)
			die("write");
}

int main(int argc, char **argv)
{
	if (argc < 2) {
		ssize_t n;
		while ((n = splice(0, NULL, 1, NULL, 1 << 20, SPLICE_F_MOVE)) > 0)
			;
		return n < 0;
	}
	static char buf[64 << 10];
	int log = open(argv[1], O_WRONLY | O_CREAT | O_TRUNC, 0600);
	if (log < 0)
		die(argv[1]);
	ssize_t got;
	while ((got = read(0, buf, sizeof buf)) > 0) {
		put(log, buf, got);
		put(1, buf, got);
	}
	return 0;
}
