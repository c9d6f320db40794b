// Prints what _transfer_program.ts does, for C.
//   transfer stream|talk COUNT [THERE BACK]
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define WARM_UP 2000
#define BLOCK 65536
#define MESSAGE 64

static char data[BLOCK];

// A pipe, or a FIFO if there is a path: each process takes an end after the fork.
struct connection {
  const char *path;
  int ends[2];
};

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1e6 + time.tv_nsec / 1e3;
}

static struct connection connection(const char *path) {
  struct connection it = {.path = path};
  if (path == NULL && pipe(it.ends) != 0) exit(1);
  return it;
}

static int reader_of(struct connection *it) {
  if (it->path == NULL) {
    close(it->ends[1]);
    return it->ends[0];
  }
  int fd = open(it->path, O_RDONLY);
  if (fd < 0) exit(1);
  return fd;
}

static int writer_of(struct connection *it) {
  if (it->path == NULL) {
    close(it->ends[0]);
    return it->ends[1];
  }
  int fd = open(it->path, O_WRONLY);
  if (fd < 0) exit(1);
  return fd;
}

static void send(int fd, long size) {
  if (write(fd, data, size) != size) exit(1);
}

static void receive(int fd, long size) {
  while (size > 0) {
    long n = read(fd, data, size < BLOCK ? size : BLOCK);
    if (n <= 0) exit(1);
    size -= n;
  }
}

static double stream(long count, const char *there) {
  struct connection blocks = connection(there);
  if (fork() == 0) {
    int fd = writer_of(&blocks);
    for (long n = 0; n < WARM_UP + count; n++) send(fd, BLOCK);
    _exit(0);
  }
  int fd = reader_of(&blocks);
  receive(fd, (long)WARM_UP * BLOCK);
  double from = now();
  receive(fd, count * BLOCK);
  return (now() - from) / 1e3;
}

static int by_size(const void *a, const void *b) {
  double difference = *(const double *)a - *(const double *)b;
  return (difference > 0) - (difference < 0);
}

static double talk(long count, const char *there, const char *back) {
  struct connection requests = connection(there);
  struct connection replies = connection(back);
  if (fork() == 0) {
    int in = reader_of(&requests), out = writer_of(&replies);
    while (read(in, data, MESSAGE) == MESSAGE) send(out, MESSAGE);
    _exit(0);
  }
  int out = writer_of(&requests), in = reader_of(&replies);
  double *times = malloc(count * sizeof *times);
  for (long n = -WARM_UP; n < count; n++) {
    double from = now();
    send(out, MESSAGE);
    receive(in, MESSAGE);
    if (n >= 0) times[n] = now() - from;
  }
  close(out);
  qsort(times, count, sizeof *times, by_size);
  return times[count / 2];
}

int main(int argc, char **argv) {
  const char *there = argc > 4 ? argv[3] : NULL;
  const char *back = argc > 4 ? argv[4] : NULL;
  long count = atol(argv[2]);
  double result = strcmp(argv[1], "stream") == 0 ? stream(count, there)
                                                 : talk(count, there, back);
  while (wait(NULL) > 0) {}
  printf("%f\n", result);
}
