/* feed KIND BYTES: writes BYTES of output as fast as it can, then one line that the patterns find, and ends.
 * KIND is log (lines, all different within 1 MiB) or bare (no newline). */
#include "bench.h"

enum { block = 1 << 20, piece = 64 << 10 };

static void put(const char *p, size_t n)
{
	while (n > 0) {
		ssize_t done = write(1, p, n);
		if (done < 0)
			exit(errno == EPIPE || errno == EIO ? 0 : 1);
		p += done;
		n -= done;
	}
}

int main(int argc, char **argv)
{
	if (argc != 3)
		return 2;
	long long left = atoll(argv[2]);
	char *text = malloc(block + 256);
	unsigned seed = 1;
	if (!strcmp(argv[1], "log")) {
		int i, n = 0;
		for (i = 0; n < block; i++) {
			seed = seed * 1103515245 + 12345;
			n += sprintf(text + n, "2026-11-21 10:%02d:%02d.%03d INFO worker %u: request %08x took %u ms, status 200\n", i / 60 % 60,
				     i % 60, i % 1000, seed >> 8 & 31, seed, seed >> 16 & 1023);
		}
	} else {
		for (int i = 0; i < block; i++) {
			seed = seed * 1103515245 + 12345;
			text[i] = "abcdefghijklmnop qrstuvwxyz.0123"[seed >> 16 & 31];
		}
	}
	while (left > 0) {
		long long at = 0;
		for (; at < block && left > 0; at += piece) {
			long long n = left < piece ? left : piece;
			put(text + at, n);
			left -= n;
		}
	}
	const char *end = "\n2026-11-21 10:59:59.999 ERROR worker 3: request 0000beef failed: disk 47 of 11 full\n";
	put(end, strlen(end));
	return 0;
}
