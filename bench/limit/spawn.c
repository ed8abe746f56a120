/* spawn N WIDTH: starts /bin/true on a terminal, reads to its end, reaps it; N times, WIDTH of them at a time. */
#include "bench.h"
#include <poll.h>

enum { widest = 256 };

int main(int argc, char **argv)
{
	if (argc != 3)
		return 2;
	int n = atoi(argv[1]), width = atoi(argv[2]), started = 0, ended = 0, live = 0;
	static struct child c[widest];
	static struct pollfd fds[widest];
	char *cmd[] = {"/bin/true", NULL}, buf[4096];
	double t = now();
	while (ended < n) {
		while (live < width && started < n) {
			c[live] = on_pty(cmd, 1);
			fds[live] = (struct pollfd){c[live].out, POLLIN, 0};
			live++;
			started++;
		}
		if (width > 1 && poll(fds, live, -1) < 0)
			die("poll");
		for (int i = live - 1; i >= 0; i--) {
			if (width > 1 && !fds[i].revents)
				continue;
			if (read(c[i].out, buf, sizeof buf) > 0)
				continue;
			close(c[i].out);
			waitpid(c[i].pid, NULL, 0);
			live--;
			c[i] = c[live];
			fds[i] = fds[live];
			ended++;
		}
	}
	report(now() - t, n);
}
