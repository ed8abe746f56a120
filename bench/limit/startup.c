/* startup N CMD...: runs CMD with its output to /dev/null and waits for it, N times, one after the other. */
#include "bench.h"
#include <spawn.h>

extern char **environ;

int main(int argc, char **argv)
{
	if (argc < 3)
		return 2;
	int n = atoi(argv[1]);
	posix_spawn_file_actions_t quiet;
	posix_spawn_file_actions_init(&quiet);
	posix_spawn_file_actions_addopen(&quiet, 0, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_addopen(&quiet, 1, "/dev/null", O_WRONLY, 0);
	double t = now();
	for (int i = 0; i < n; i++) {
		pid_t pid;
		int status;
		if (posix_spawnp(&pid, argv[2], &quiet, NULL, argv + 2, environ))
			die(argv[2]);
		waitpid(pid, &status, 0);
		if (status != 0) {
			fprintf(stderr, "%s: status %x\n", argv[2], status);
			return 1;
		}
	}
	report(now() - t, n);
}
