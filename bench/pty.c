// What pty.ts does, in C: `read BYTES SIZE` prints how many milliseconds it takes to read what `head` writes to a
// pseudo-terminal, `open ROUNDS` how many microseconds it takes to open one and to close it.
#include <pty.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1e3 + time.tv_nsec / 1e6;
}

static double read_all(char *bytes, size_t size) {
  char *buffer = malloc(size);
  double start = now();
  int controller;
  pid_t pid = forkpty(&controller, NULL, NULL, NULL);
  if (pid == 0) {
    execlp("head", "head", "-c", bytes, "/dev/zero", (char *)NULL);
    _exit(127);
  }
  long long total = 0;
  for (ssize_t count; (count = read(controller, buffer, size)) > 0;) total += count;
  waitpid(pid, NULL, 0);
  if (total != atoll(bytes)) exit(1);
  return now() - start;
}

static double open_all(int rounds) {
  double start = now();
  for (int i = 0; i < rounds; i++) {
    int controller, terminal;
    if (openpty(&controller, &terminal, NULL, NULL, NULL) == -1) exit(1);
    close(terminal);
    close(controller);
  }
  return (now() - start) * 1e3 / rounds;
}

int main(int argc, char **argv) {
  if (argc == 4 && strcmp(argv[1], "read") == 0) printf("%f\n", read_all(argv[2], atoi(argv[3])));
  else if (argc == 3) printf("%f\n", open_all(atoi(argv[2])));
  return 0;
}
