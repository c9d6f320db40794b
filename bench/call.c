// Prints what one getppid() costs in nanoseconds, over as many calls as the argument says.
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

int main(int argc, char **argv) {
  long calls = atol(argv[1]);
  struct timespec from, to;
  clock_gettime(CLOCK_MONOTONIC, &from);
  for (long i = 0; i < calls; i++) getppid();
  clock_gettime(CLOCK_MONOTONIC, &to);
  printf("%f\n",
         ((to.tv_sec - from.tv_sec) * 1e9 + (to.tv_nsec - from.tv_nsec)) / calls);
}
