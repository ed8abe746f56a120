/* relay CMD...: joins its input and output to those of CMD, on pipes. */
#include "bench.h"
#include <poll.h>

static char buf[64 << 10];

/* pass passes on what is there; 0: the end. */
static int pass(int from, int to)
{
	ssize_t got = read(from, buf, sizeof buf);
	if (got > 0 && write(to, buf, got) != got)
		die("write");
	return got > 0;
}

int main(int argc, char **argv)
{
	if (argc < 2)
		return 2;
	struct child c = on_pipes(argv + 1);
	struct pollfd p[2] = {{0, POLLIN, 0}, {c.out, POLLIN, 0}};
	for (;;) {
		if (poll(p, 2, -1) < 0)
			die("poll");
		if (p[0].revents && !pass(0, c.in)) {
			close(c.in);
			p[0].fd = -1;
		}
		if (p[1].revents && !pass(c.out, 1))
			break;
	}
	waitpid(c.pid, NULL, 0);
	return 0;
}
