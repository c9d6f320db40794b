// How late the ticks of a timer are, in microseconds, for 99 of 100 of them: timers timerfd|itimer <ticks> <interval in ms>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <stdint.h>
#include <string.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1e6 + t.tv_nsec / 1e3;
}

static int ascending(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

int main(int argc, char **argv) {
  if (argc != 4) return 2;
  int ticks = atoi(argv[2]), taken = 0;
  double interval = atof(argv[3]) * 1e3, *late = calloc(ticks, sizeof *late);
  long seconds = interval / 1e6, rest = (long)interval % 1000000;
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGALRM);
  sigprocmask(SIG_BLOCK, &set, NULL);
  int timerfd = strcmp(argv[1], "timerfd") == 0;
  int fd = timerfd_create(CLOCK_MONOTONIC, 0);
  double start = now();
  if (timerfd) {
    struct itimerspec spec = {{seconds, rest * 1000}, {seconds, rest * 1000}};
    timerfd_settime(fd, 0, &spec, NULL);
  } else {
    struct itimerval value = {{seconds, rest}, {seconds, rest}};
    setitimer(ITIMER_REAL, &value, NULL);
  }
  while (taken < ticks) {
    uint64_t count = 1;
    int signal;
    if (timerfd) {
      if (read(fd, &count, 8) != 8) return 1;
    } else {
      sigwait(&set, &signal);
    }
    double elapsed = now() - start;
    // The kernel keeps the time: a tick that was missed is told of with the next.
    for (; count > 0 && taken < ticks; count--, taken++) {
      late[taken] = elapsed - (taken + 1) * interval;
    }
  }
  qsort(late, ticks, sizeof *late, ascending);
  printf("%f\n", late[ticks * 99 / 100]);
}
