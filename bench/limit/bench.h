/* What the programs of this folder share. Each makes only the system calls that its workload cannot do without, and
 * prints what it measured as lines of a name and a number, as every contestant does. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

static inline double now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

static inline void die(const char *what)
{
	perror(what);
	exit(1);
}

/* status_field returns a number of /proc/self/status. */
static inline double status_field(const char *name)
{
	char line[256];
	double v = 0;
	FILE *f = fopen("/proc/self/status", "r");
	while (f && fgets(line, sizeof line, f))
		if (!strncmp(line, name, strlen(name)))
			v = atof(line + strlen(name) + 1);
	if (f)
		fclose(f);
	return v;
}

static inline void report(double seconds, double units)
{
	struct rusage u;
	getrusage(RUSAGE_SELF, &u);
	printf("seconds %.9f\nunits %.0f\n", seconds, units);
	printf("user %.6f\n", u.ru_utime.tv_sec + u.ru_utime.tv_usec / 1e6);
	printf("system %.6f\n", u.ru_stime.tv_sec + u.ru_stime.tv_usec / 1e6);
	printf("peak_kib %.0f\n", status_field("VmHWM"));
}

static inline int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

/* report_latency sorts took. */
static inline void report_latency(double *took, int n)
{
	qsort(took, n, sizeof *took, by_size);
	printf("p50_us %.1f\np99_us %.1f\n", took[n / 2] * 1e6, took[(int)(n * 0.99)] * 1e6);
}

/* A child and our end of its standard streams: on a terminal in and out are the same. */
struct child {
	pid_t pid;
	int in, out;
};

static inline struct child on_pty(char **argv, int echo)
{
	struct child c;
	struct winsize size = {24, 80, 0, 0};
	int fd;
	c.pid = forkpty(&fd, NULL, NULL, &size);
	if (c.pid < 0)
		die("forkpty");
	if (c.pid == 0) {
		if (!echo) {
			struct termios t;
			tcgetattr(0, &t);
			t.c_lflag &= ~ECHO;
			tcsetattr(0, TCSANOW, &t);
		}
		execvp(argv[0], argv);
		_exit(127);
	}
	fcntl(fd, F_SETFD, FD_CLOEXEC);
	c.in = c.out = fd;
	return c;
}

static inline struct child on_pipes(char **argv)
{
	struct child c;
	int in[2], out[2];
	if (pipe2(in, O_CLOEXEC) || pipe2(out, O_CLOEXEC))
		die("pipe2");
	c.pid = vfork();
	if (c.pid < 0)
		die("vfork");
	if (c.pid == 0) {
		dup2(in[0], 0);
		dup2(out[1], 1);
		execvp(argv[0], argv);
		_exit(127);
	}
	close(in[0]);
	close(out[1]);
	c.in = in[1];
	c.out = out[0];
	return c;
}

static inline struct child start(const char *stdio, char **argv, int echo)
{
	return strcmp(stdio, "pty") ? on_pipes(argv) : on_pty(argv, echo);
}

/* no_echo waits until the child has turned the echo off: it does so itself, between fork and exec. */
static inline void no_echo(int fd)
{
	struct termios t;
	while (tcgetattr(fd, &t) == 0 && (t.c_lflag & ECHO))
		usleep(100);
}
