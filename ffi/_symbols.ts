import { lazySymbols, poolCall } from "./_lazy_symbols.ts";

/**
 * The whole border with C: every libc function that the library calls, under its C prototype.
 *
 * Each group is opened at its first use, since binding costs about 0.1 ms a symbol. How C types are spelled:
 * `int`, `pid_t`, `mode_t` → `i32` or `u32`; `size_t` → `usize`; a `char *` or struct that we own → `buffer`; an
 * address that we only pass on → `usize`. A `ssize_t` is taken as `i32`: Linux moves at most 0x7ffff000 bytes a call, so
 * the lower half says it all, and unlike an `isize` it is not a bigint.
 */

/** Memory and addresses. */
export const memorySymbols = lazySymbols({
  // void *memcpy(void *dest, const void *src, size_t n);
  memcpy: { parameters: ["buffer", "usize", "usize"], result: "usize" },
  // void *memmove(void *dest, const void *src, size_t n);
  memmove: { parameters: ["buffer", "buffer", "usize"], result: "usize" },
});

/** Who a process is, and what it carries. */
export const processSymbols = lazySymbols({
  // pid_t getpid(void);
  getpid: { parameters: [], result: "i32" },
  // pid_t getppid(void);
  getppid: { parameters: [], result: "i32" },
  // pid_t getpgrp(void);
  getpgrp: { parameters: [], result: "i32" },
  // pid_t getpgid(pid_t pid);
  getpgid: { parameters: ["i32"], result: "i32" },
  // pid_t getsid(pid_t pid);
  getsid: { parameters: ["i32"], result: "i32" },
  // int setpgid(pid_t pid, pid_t pgid);
  setpgid: { parameters: ["i32", "i32"], result: "i32" },
  // pid_t setsid(void);
  setsid: { parameters: [], result: "i32" },
  // mode_t umask(mode_t mask);
  umask: { parameters: ["u32"], result: "u32" },
  // int chdir(const char *path);
  chdir: { parameters: ["buffer"], result: "i32" },
  // int getrlimit(int resource, struct rlimit *rlim);
  getrlimit: { parameters: ["i32", "buffer"], result: "i32" },
  // int setrlimit(int resource, const struct rlimit *rlim);
  setrlimit: { parameters: ["i32", "buffer"], result: "i32" },
  // int prctl(int op, unsigned long arg2); for those that take a number
  prctl: { parameters: ["i32", "u64"], result: "i32" },
  // int prctl(PR_SET_NAME, const char *name);
  prctl_set_name: {
    name: "prctl",
    parameters: ["i32", "buffer"],
    result: "i32",
  },
});

/** Ending the process: a group of its own, so that a forked child need not open one to end. */
export const exitSymbols = lazySymbols({
  // void _exit(int status);
  _exit: { parameters: ["i32"], result: "void" },
});

/** Signals. */
export const signalSymbols = lazySymbols({
  // int kill(pid_t pid, int sig);
  kill: { parameters: ["i32", "i32"], result: "i32" },
  // int killpg(pid_t pgrp, int sig);
  killpg: { parameters: ["i32", "i32"], result: "i32" },
  // unsigned int alarm(unsigned int seconds);
  alarm: { parameters: ["u32"], result: "u32" },
  // int sigaction(int signum, const struct sigaction *act, struct sigaction *oldact);
  sigaction: { parameters: ["i32", "buffer", "buffer"], result: "i32" },
  // int pthread_sigmask(int how, const sigset_t *set, sigset_t *oldset);
  pthread_sigmask: { parameters: ["i32", "buffer", "buffer"], result: "i32" },
});

/** Waiting for children. */
export const waitSymbols = lazySymbols({
  // pid_t waitpid(pid_t pid, int *wstatus, int options);
  waitpid: { parameters: ["i32", "buffer", "i32"], result: "i32" },
  // pid_t wait4(pid_t pid, int *wstatus, int options, struct rusage *rusage);
  wait4: { parameters: ["i32", "buffer", "i32", "buffer"], result: "i32" },
  // int waitid(idtype_t idtype, id_t id, siginfo_t *infop, int options);
  waitid: { parameters: ["i32", "u32", "buffer", "i32"], result: "i32" },
  // long syscall(SYS_pidfd_open, pid_t pid, unsigned int flags); glibc has no wrapper before 2.36
  pidfd_open: {
    name: "syscall",
    parameters: ["i64", "i32", "u32"],
    result: "i32",
  },
  // long syscall(SYS_pidfd_send_signal, int pidfd, int sig, siginfo_t *info, unsigned int flags); glibc: as above
  pidfd_send_signal: {
    name: "syscall",
    parameters: ["i64", "i32", "i32", "usize", "u32"],
    result: "i32",
  },
});

/** Becoming another program. */
export const execSymbols = lazySymbols({
  // int execv(const char *pathname, char *const argv[]);
  execv: { parameters: ["buffer", "buffer"], result: "i32" },
  // int execve(const char *pathname, char *const argv[], char *const envp[]);
  execve: { parameters: ["buffer", "buffer", "buffer"], result: "i32" },
  // int execvp(const char *file, char *const argv[]);
  execvp: { parameters: ["buffer", "buffer"], result: "i32" },
  // int execvpe(const char *file, char *const argv[], char *const envp[]);
  execvpe: { parameters: ["buffer", "buffer", "buffer"], result: "i32" },
  // int fexecve(int fd, char *const argv[], char *const envp[]);
  fexecve: { parameters: ["i32", "buffer", "buffer"], result: "i32" },
});

/** Descriptors. */
export const descriptorSymbols = lazySymbols({
  // int open(const char *pathname, int flags, mode_t mode);
  open: { parameters: ["buffer", "i32", "u32"], result: "i32" },
  // int close(int fd);
  close: { parameters: ["i32"], result: "i32" },
  // ssize_t read(int fd, void *buf, size_t count);
  read: { parameters: ["i32", "buffer", "usize"], result: "i32" },
  // ssize_t write(int fd, const void *buf, size_t count);
  write: { parameters: ["i32", "buffer", "usize"], result: "i32" },
  // off_t lseek(int fd, off_t offset, int whence);
  lseek: { parameters: ["i32", "i64", "i32"], result: "i64" },
  // int dup2(int oldfd, int newfd);
  dup2: { parameters: ["i32", "i32"], result: "i32" },
  // int dup3(int oldfd, int newfd, int flags);
  dup3: { parameters: ["i32", "i32", "i32"], result: "i32" },
  // int fcntl(int fd, int cmd, int arg);
  fcntl: { parameters: ["i32", "i32", "i32"], result: "i32" },
  // int ioctl(int fd, unsigned long request, void *argp);
  ioctl: { parameters: ["i32", "u64", "buffer"], result: "i32" },
  // int isatty(int fd);
  isatty: { parameters: ["i32"], result: "i32" },
  // int pipe2(int pipefd[2], int flags);
  pipe2: { parameters: ["buffer", "i32"], result: "i32" },
  // int eventfd(unsigned int initval, int flags);
  eventfd: { parameters: ["u32", "i32"], result: "i32" },
  // int mkfifo(const char *pathname, mode_t mode);
  mkfifo: { parameters: ["buffer", "u32"], result: "i32" },
  // int unlink(const char *pathname);
  unlink: { parameters: ["buffer"], result: "i32" },
  // int poll(struct pollfd *fds, nfds_t nfds, int timeout);
  poll: { parameters: ["buffer", "u64", "i32"], result: "i32" },
  // int statx(int dirfd, const char *pathname, int flags, unsigned int mask, struct statx *statxbuf);
  statx: {
    parameters: ["i32", "buffer", "i32", "u32", "buffer"],
    result: "i32",
  },
});

/** Waiting for descriptors on a thread of Deno's pool. */
// int poll(struct pollfd *fds, nfds_t nfds, int timeout);
export const pollOnPool = poolCall({
  name: "poll",
  parameters: ["buffer", "u64", "i32"],
  result: "i32",
  nonblocking: true,
});

/** What it takes to carry a whole runtime over a fork. */
export const forkSymbols = lazySymbols({
  // pid_t _Fork(void); from glibc 2.34 on
  _Fork: { parameters: [], result: "i32", optional: true },
  // pid_t fork(void);
  fork: { parameters: [], result: "i32" },
  // pid_t gettid(void); a thread has the process's own id only if it is the main one
  gettid: { parameters: [], result: "i32" },
  // int madvise(void *addr, size_t length, int advice);
  madvise: { parameters: ["usize", "usize", "i32"], result: "i32" },
  // ssize_t pread(int fd, void *buf, size_t count, off_t offset);
  pread: { parameters: ["i32", "buffer", "usize", "i64"], result: "i32" },
  // int sched_yield(void);
  sched_yield: { parameters: [], result: "i32" },
  // int usleep(useconds_t usec);
  usleep: { parameters: ["u32"], result: "i32" },
  // long syscall(SYS_getdents64, int fd, void *dirp, size_t count); glibc has no wrapper before 2.30
  getdents64: {
    name: "syscall",
    parameters: ["i64", "i32", "buffer", "usize"],
    result: "i32",
  },
  // ssize_t readlink(const char *pathname, char *buf, size_t bufsiz);
  readlink: { parameters: ["buffer", "buffer", "usize"], result: "i32" },
  // int epoll_create1(int flags);
  epoll_create1: { parameters: ["i32"], result: "i32" },
  // int epoll_ctl(int epfd, int op, int fd, struct epoll_event *event);
  epoll_ctl: { parameters: ["i32", "i32", "i32", "buffer"], result: "i32" },
  // int getsockopt(int sockfd, int level, int optname, void *optval, socklen_t *optlen);
  getsockopt: {
    parameters: ["i32", "i32", "i32", "buffer", "buffer"],
    result: "i32",
  },
  // int socketpair(int domain, int type, int protocol, int sv[2]);
  socketpair: { parameters: ["i32", "i32", "i32", "buffer"], result: "i32" },
  // long syscall(SYS_futex, uint32_t *uaddr, int futex_op, uint32_t val);
  futex_wake: {
    name: "syscall",
    parameters: ["i64", "buffer", "i32", "u32"],
    result: "i32",
  },
});

/** Parking a thread of Deno's pool for the time of a fork. */
// long syscall(SYS_futex, uint32_t *uaddr, int futex_op, uint32_t val, const struct timespec *timeout);
export const futexWaitOnPool = poolCall({
  name: "syscall",
  parameters: ["i64", "buffer", "i32", "u32", "usize"],
  result: "i32",
  nonblocking: true,
});

/** A signal handler made of parts that libc has: `putchar`, into a stream of our own in place of `stdout`. */
export const handlerSymbols = lazySymbols({
  putchar: { type: "pointer" },
  stdout: { type: "pointer" },
  // void *memmove(void *dest, const void *src, size_t n); the address of a symbol, as it moves nothing
  address_of: {
    name: "memmove",
    parameters: ["pointer", "buffer", "usize"],
    result: "usize",
  },
  // void *memcpy(void *dest, const void *src, size_t n);
  store: {
    name: "memcpy",
    parameters: ["usize", "buffer", "usize"],
    result: "usize",
  },
  // FILE *fdopen(int fd, const char *mode);
  fdopen: { parameters: ["i32", "buffer"], result: "usize" },
  // int setvbuf(FILE *stream, char *buf, int mode, size_t size);
  setvbuf: { parameters: ["usize", "buffer", "i32", "usize"], result: "i32" },
  // int fclose(FILE *stream);
  fclose: { parameters: ["usize"], result: "i32" },
});
