// Prints what it costs in nanoseconds to lock and unlock a robust mutex that processes share, so many times (argument 2): "alone",
// or by two processes ("two"), each of which counts under it.
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct shared {
  pthread_mutex_t mutex;
  _Alignas(64) volatile int ready;
  _Alignas(64) volatile long count;
};

static void work(struct shared *shared, long rounds) {
  for (long i = 0; i < rounds; i++) {
    pthread_mutex_lock(&shared->mutex);
    shared->count = shared->count + 1;
    pthread_mutex_unlock(&shared->mutex);
  }
}

int main(int argc, char **argv) {
  int sides = argc > 1 && strcmp(argv[1], "two") == 0 ? 2 : 1;
  long rounds = atol(argv[2]);
  struct shared *shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE,
                               MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  pthread_mutexattr_t attributes;
  pthread_mutexattr_init(&attributes);
  pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
  pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
  pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_ERRORCHECK);
  pthread_mutex_init(&shared->mutex, &attributes);
  pid_t pid = sides == 2 ? fork() : -1;
  __sync_fetch_and_add(&shared->ready, 1);
  while (shared->ready < sides);
  struct timespec from, to;
  clock_gettime(CLOCK_MONOTONIC, &from);
  work(shared, rounds);
  if (pid == 0) _exit(0);
  if (pid != -1) waitpid(pid, NULL, 0);
  clock_gettime(CLOCK_MONOTONIC, &to);
  if (shared->count != rounds * sides) return 1;
  double elapsed = (to.tv_sec - from.tv_sec) * 1e9 + (to.tv_nsec - from.tv_nsec);
  printf("%f\n", elapsed / (rounds * sides));
}
