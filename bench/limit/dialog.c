/* dialog N: bash on a terminal; waits for the prompt, sends a command, N times. */
#include "bench.h"

static const char prompt[] = "prompt> ";

/* until reads on until the output ends in the prompt. */
static void until(int fd)
{
	char buf[8192];
	size_t have = 0;
	for (;;) {
		ssize_t got = read(fd, buf + have, sizeof buf - have);
		if (got <= 0)
			die("read");
		have += got;
		if (have >= sizeof prompt - 1 && !memcmp(buf + have - (sizeof prompt - 1), prompt, sizeof prompt - 1))
			return;
	}
}

int main(int argc, char **argv)
{
	if (argc != 2)
		return 2;
	int n = atoi(argv[1]);
	char *cmd[] = {"bash", "--norc", "--noprofile", NULL}, line[64];
	setenv("PS1", prompt, 1);
	setenv("TERM", "dumb", 1);
	double t = now();
	struct child c = on_pty(cmd, 1);
	until(c.out);
	for (int i = 0; i < n; i++) {
		int len = sprintf(line, "echo answer $((%d * 7))\r", i);
		if (write(c.in, line, len) != len)
			die("write");
		until(c.out);
	}
	if (write(c.in, "exit\r", 5) != 5)
		die("write");
	while (read(c.out, line, sizeof line) > 0)
		;
	waitpid(c.pid, NULL, 0);
	report(now() - t, n);
}
