/* drain pty|pipe UNITS CMD...: starts CMD, reads and discards its output to the end, and reaps it. */
#include "bench.h"

int main(int argc, char **argv)
{
	if (argc < 4)
		return 2;
	static char buf[64 << 10];
	double t = now();
	struct child c = start(argv[1], argv + 3, 1);
	while (read(c.out, buf, sizeof buf) > 0)
		;
	waitpid(c.pid, NULL, 0);
	report(now() - t, atof(argv[2]));
}
