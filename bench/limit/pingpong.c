/* pingpong pty|pipe N [CMD...]: sends a line to CMD, which is cat, and reads its answer, N times. */
#include "bench.h"

int main(int argc, char **argv)
{
	if (argc < 3)
		return 2;
	int n = atoi(argv[2]);
	char *cmd[] = {"cat", NULL}, line[64], buf[4096];
	struct child c = start(argv[1], argc > 3 ? argv + 3 : cmd, 0);
	if (c.in == c.out)
		no_echo(c.out);
	double t = 0, last = 0, *took = calloc(n + 1, sizeof *took);
	for (int i = -100; i < n; i++) { /* the first hundred are not counted */
		if (i == 0)
			t = last = now();
		int len = sprintf(line, "ping %06d\n", i < 0 ? 0 : i);
		if (write(c.in, line, len) != len)
			die("write");
		for (;;) {
			ssize_t got = read(c.out, buf, sizeof buf);
			if (got <= 0)
				die("read");
			if (memchr(buf, '\n', got))
				break;
		}
		if (i >= 0) {
			double end = now();
			took[i] = end - last;
			last = end;
		}
	}
	t = last - t;
	kill(c.pid, SIGKILL);
	waitpid(c.pid, NULL, 0);
	report(t, n);
	report_latency(took, n);
}
