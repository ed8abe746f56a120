/* sessions N EXCHANGES: N cats on terminals at once, each EXCHANGES lines back and forth; one thread and epoll. */
#include "bench.h"
#include <sys/epoll.h>

struct session {
	struct child c;
	int left;
	double sent;
};

static void ask(struct session *s)
{
	char line[64];
	int len = sprintf(line, "ping %06d\n", s->left);
	s->sent = now();
	if (write(s->c.in, line, len) != len)
		die("write");
}

int main(int argc, char **argv)
{
	if (argc != 3)
		return 2;
	int n = atoi(argv[1]), each = atoi(argv[2]), total = n * each, done = 0;
	double *took = malloc(total * sizeof *took);
	memset(took, 1, total * sizeof *took);
	double before = status_field("VmRSS");
	struct session *all = calloc(n, sizeof *all);
	char *cmd[] = {"cat", NULL}, buf[4096];
	int ep = epoll_create1(EPOLL_CLOEXEC);
	for (int i = 0; i < n; i++) {
		all[i].c = on_pty(cmd, 0);
		all[i].left = each;
		struct epoll_event e = {EPOLLIN, {.ptr = &all[i]}};
		epoll_ctl(ep, EPOLL_CTL_ADD, all[i].c.out, &e);
	}
	for (int i = 0; i < n; i++)
		no_echo(all[i].c.out);
	double t = now();
	for (int i = 0; i < n; i++)
		ask(&all[i]);
	while (done < total) {
		struct epoll_event ready[256];
		int got = epoll_wait(ep, ready, 256, -1);
		for (int i = 0; i < got; i++) {
			struct session *s = ready[i].data.ptr;
			ssize_t len = read(s->c.out, buf, sizeof buf);
			if (len <= 0)
				die("read");
			if (!memchr(buf, '\n', len))
				continue;
			took[done++] = now() - s->sent;
			if (--s->left > 0)
				ask(s);
		}
	}
	t = now() - t;
	double after = status_field("VmRSS"), threads = status_field("Threads");
	for (int i = 0; i < n; i++)
		kill(all[i].c.pid, SIGKILL);
	for (int i = 0; i < n; i++)
		waitpid(all[i].c.pid, NULL, 0);
	report(t, total);
	report_latency(took, total);
	printf("kib_each %.2f\nthreads %.0f\n", (after - before) / n, threads);
}
