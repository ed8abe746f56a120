/* relayed BYTES CMD...: writes BYTES to CMD and reads them from it again, both through pipes of 1 MiB, and counts them.
 * The processor time is CMD's. */
#include "bench.h"

enum { block = 1 << 20, piece = 64 << 10 };

static void large_pipe(int p[2])
{
	if (pipe2(p, O_CLOEXEC) || fcntl(p[0], F_SETPIPE_SZ, block) < 0)
		die("pipe");
}

int main(int argc, char **argv)
{
	if (argc < 3)
		return 2;
	long long bytes = atoll(argv[1]), left = bytes, seen = 0;
	static char text[block];
	for (int i = 0; i < block; i++)
		text[i] = i * 2654435761u >> 24;
	int in[2], out[2];
	large_pipe(in);
	large_pipe(out);
	double t = now();
	pid_t relay = fork();
	if (relay == 0) {
		dup2(in[0], 0);
		dup2(out[1], 1);
		execvp(argv[2], argv + 2);
		die(argv[2]);
	}
	pid_t writer = fork();
	if (writer == 0) {
		close(in[0]);
		for (; left > 0; left -= piece)
			if (write(in[1], text + left % block / piece * piece, left < piece ? left : piece) <= 0)
				die("write");
		_exit(0);
	}
	close(in[0]);
	close(in[1]);
	close(out[1]);
	static char buf[block];
	ssize_t got;
	while ((got = read(out[0], buf, sizeof buf)) > 0)
		seen += got;
	double took = now() - t;
	int status;
	struct rusage u;
	if (wait4(relay, &status, 0, &u) < 0 || status != 0 || seen != bytes) {
		fprintf(stderr, "%lld of %lld bytes, status %d\n", seen, bytes, status);
		return 1;
	}
	waitpid(writer, NULL, 0);
	printf("seconds %.9f\nunits %lld\n", took, bytes);
	printf("user %.6f\n", u.ru_utime.tv_sec + u.ru_utime.tv_usec / 1e6);
	printf("system %.6f\n", u.ru_stime.tv_sec + u.ru_stime.tv_usec / 1e6);
	printf("peak_kib %ld\n", u.ru_maxrss);
}
