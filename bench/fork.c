// fork + _exit + waitpid in C: as a program with as much resident memory as it is told, and as a library for a process that
// wants to know what the bare calls cost in itself. The child runs no line of that process's own code.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1e6 + time.tv_nsec / 1e3;
}

// One round: microseconds of fork() in the parent, and from its start to the end of waitpid(); 0, or -1 for a failure.
int round_trip(double *forked, double *reaped) {
  int status;
  double start = now();
  pid_t pid = fork();
  if (pid == 0) _exit(0);
  *forked = now() - start;
  if (pid == -1 || waitpid(pid, &status, 0) != pid) return -1;
  *reaped = now() - start;
  return status;
}

// The same in a V8, whose heap is kept out of forks unless it is taken in first, which is not timed here.
int round_trip_of_all(double *forked, double *reaped) {
  madvise((void *)4096, 0x7ffffffff000 - 4096, MADV_DOFORK);
  return round_trip(forked, reaped);
}

static long resident(void) {
  char line[256];
  long kib = 0;
  FILE *file = fopen("/proc/self/status", "r");
  while (fgets(line, sizeof line, file)) sscanf(line, "VmRSS: %ld", &kib);
  fclose(file);
  return kib;
}

// fork KIB: grows until it is as large, says so, then answers each line "ROUNDS" with the times of so many rounds.
int main(int argc, char **argv) {
  long wanted = atol(argv[1]);
  size_t block = 64 * 1024;
  while (resident() < wanted) {
    void *memory = malloc(block);
    if (memory == NULL) return 1;
    memset(memory, 1, block);
  }
  printf("{\"resident\":%ld}\n", resident());
  fflush(stdout);
  int rounds;
  while (scanf("%d", &rounds) == 1) {
    printf("{\"times\":[");
    for (int i = 0; i < rounds; i++) {
      double forked, reaped;
      fflush(stdout);
      if (round_trip(&forked, &reaped) != 0) return 1;
      printf("%s[%f,%f]", i == 0 ? "" : ",", forked, reaped);
    }
    printf("],\"resident\":%ld}\n", resident());
    fflush(stdout);
  }
}
