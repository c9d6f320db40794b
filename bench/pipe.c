// Prints what it costs in nanoseconds to write so many bytes (argument 1) into a pipe and to read them again, so many times (argument 2).
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

int main(int argc, char **argv) {
  long size = atol(argv[1]), rounds = atol(argv[2]);
  char *data = malloc(size);
  memset(data, 1, size);
  int fds[2];
  if (pipe(fds) != 0) return 1;
  struct timespec from, to;
  clock_gettime(CLOCK_MONOTONIC, &from);
  for (long i = 0; i < rounds; i++) {
    if (write(fds[1], data, size) != size) return 1;
    if (read(fds[0], data, size) != size) return 1;
  }
  clock_gettime(CLOCK_MONOTONIC, &to);
  printf("%f\n",
         ((to.tv_sec - from.tv_sec) * 1e9 + (to.tv_nsec - from.tv_nsec)) / rounds);
}
