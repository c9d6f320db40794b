// Answers each line "ROUNDS" with the times of so many posix_spawn + waitpid of /bin/true, and each "kill ROUNDS" with those from
// kill to waitpid of a sleeping program, in microseconds. Argument 1 is the resident size in KiB to grow to first.
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

extern char **environ;

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1e6 + t.tv_nsec / 1e3;
}

static pid_t start(char *file, char *argument) {
  char *argv[] = {file, argument, NULL};
  pid_t pid;
  if (posix_spawnp(&pid, file, NULL, NULL, argv, environ) != 0) exit(1);
  return pid;
}

int main(int argc, char **argv) {
  size_t size = argc > 1 ? atol(argv[1]) * 1024 : 0;
  if (size > 0) memset(malloc(size), 1, size);
  puts("ready");
  fflush(stdout);
  char line[64];
  while (fgets(line, sizeof line, stdin)) {
    int kills = strncmp(line, "kill ", 5) == 0;
    int rounds = atoi(kills ? line + 5 : line);
    printf("[");
    for (int i = 0; i < rounds; i++) {
      int status;
      double started = now();
      pid_t pid;
      if (kills) {
        pid = start("/bin/sleep", "60");
        // As long as a timer of 3 ms takes in Deno: the longer a processor has slept, the longer all takes that comes next.
        struct timespec pause = {0, 4200000};
        nanosleep(&pause, NULL);
        started = now();
        kill(pid, SIGKILL);
      } else {
        pid = start("/bin/true", NULL);
      }
      if (waitpid(pid, &status, 0) != pid) return 1;
      printf("%s%f", i ? "," : "", now() - started);
    }
    puts("]");
    fflush(stdout);
  }
}
