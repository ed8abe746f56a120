/* fanout UNITS SINKS CMD...: writes what CMD prints on a pipe to each of the files SINKS (joined by colons). */
#include "bench.h"

int main(int argc, char **argv)
{
	if (argc < 4)
		return 2;
	static char buf[64 << 10];
	int sinks[64], n = 0;
	for (char *p = strtok(argv[2], ":"); p && n < 64; p = strtok(NULL, ":"))
		if ((sinks[n++] = open(p, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600)) < 0)
			die(p);
	double t = now();
	struct child c = on_pipes(argv + 3);
	ssize_t got;
	while ((got = read(c.out, buf, sizeof buf)) > 0)
		for (int i = 0; i < n; i++)
			if (write(sinks[i], buf, got) != got)
				die("write");
	waitpid(c.pid, NULL, 0);
	report(now() - t, atof(argv[1]));
}
