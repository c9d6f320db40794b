// Prints what a message between processes costs in microseconds.
//   queue pipe|ring BYTES COUNT PRODUCERS   messages of one or more producers through a pipe, or of one through a ring in shared memory
//   queue talk|doze COUNT                   a request and its reply through two pipes; with a pause before each request
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define SLOTS 16384

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1e6 + time.tv_nsec / 1e3;
}

static void read_all(int fd, char *data, long size) {
  for (long done = 0; done < size;) {
    long n = read(fd, data + done, size - done);
    if (n <= 0) exit(1);
    done += n;
  }
}

static void write_all(int fd, const char *data, long size) {
  for (long done = 0; done < size;) {
    long n = write(fd, data + done, size - done);
    if (n <= 0) exit(1);
    done += n;
  }
}

static double through_pipe(long size, long count, int producers) {
  int fds[2];
  char *data = calloc(1, size);
  if (pipe(fds) != 0) exit(1);
  double from = now();
  for (int i = 0; i < producers; i++) {
    if (fork() != 0) continue;
    for (long n = 0; n < count / producers; n++) write_all(fds[1], data, size);
    _exit(0);
  }
  for (long n = 0; n < count / producers * producers; n++) {
    read_all(fds[0], data, size);
  }
  return (now() - from) / count;
}

struct ring {
  _Alignas(128) atomic_uint put;
  _Alignas(128) atomic_uint got;
  _Alignas(128) char slots[SLOTS][64];
};

static double through_ring(long count) {
  struct ring *ring = mmap(NULL, sizeof *ring, PROT_READ | PROT_WRITE,
                           MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  char data[64] = {1};
  double from = now();
  if (fork() == 0) {
    for (unsigned n = 0; n < count; n++) {
      while (n - atomic_load(&ring->got) == SLOTS) sched_yield();
      memcpy(ring->slots[n % SLOTS], data, 64);
      atomic_store(&ring->put, n + 1);
    }
    _exit(0);
  }
  for (unsigned n = 0; n < count; n++) {
    while (atomic_load(&ring->put) == n) sched_yield();
    memcpy(data, ring->slots[n % SLOTS], 64);
    atomic_store(&ring->got, n + 1);
  }
  return (now() - from) / count;
}

static int by_size(const void *a, const void *b) {
  double difference = *(const double *)a - *(const double *)b;
  return (difference > 0) - (difference < 0);
}

static double talk(long count, int pause) {
  int there[2], back[2];
  char data[64] = {1};
  if (pipe(there) != 0 || pipe(back) != 0) exit(1);
  if (fork() == 0) {
    for (long n = 0; n < count; n++) {
      read_all(there[0], data, 64);
      write_all(back[1], data, 64);
    }
    _exit(0);
  }
  double *times = malloc(count * sizeof *times);
  for (long n = 0; n < count; n++) {
    if (pause) usleep(1000);
    double from = now();
    write_all(there[1], data, 64);
    read_all(back[0], data, 64);
    times[n] = now() - from;
  }
  qsort(times, count, sizeof *times, by_size);
  return times[count / 2];
}

int main(int argc, char **argv) {
  double result = 0;
  if (strcmp(argv[1], "pipe") == 0) {
    result = through_pipe(atol(argv[2]), atol(argv[3]), atoi(argv[4]));
  } else if (strcmp(argv[1], "ring") == 0) {
    result = through_ring(atol(argv[3]));
  } else {
    result = talk(atol(argv[2]), strcmp(argv[1], "doze") == 0);
  }
  while (wait(NULL) > 0) {}
  printf("%f\n", result);
}
