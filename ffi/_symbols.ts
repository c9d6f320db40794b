import { lazySymbols, poolCall } from "./_libc.ts";

/**
 * The whole border with C: every libc function that the library calls, under its C prototype.
 *
 * Each function is bound at its first use, since that costs about 0.1 ms. How C types are spelled:
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
  // void *memcpy(void *dest, const void *src, size_t n); to an address
  store: {
    name: "memcpy",
    parameters: ["usize", "buffer", "usize"],
    result: "usize",
  },
});

/** What makes the calls of a list: it takes the address of code, and calls it. */
export const callSymbols = lazySymbols({
  // void *bsearch(const void *key, const void *base, size_t nmemb, size_t size, int (*compar)(const void *, const void *));
  bsearch: {
    parameters: ["usize", "usize", "usize", "usize", "usize"],
    result: "usize",
  },
});

/** What is wanted for its address: functions, of which the prototypes are in the other groups, and data. */
export const addressSymbols = lazySymbols({
  // void *memmove(void *dest, const void *src, size_t n); the address of a symbol, as it moves nothing
  address_of: {
    name: "memmove",
    parameters: ["pointer", "buffer", "usize"],
    result: "usize",
  },
  _Fork: { type: "pointer", optional: true },
  _exit: { type: "pointer" },
  // unsigned int: how many bytes a struct pthread has
  _thread_db_sizeof_pthread: { type: "pointer", optional: true },
  // unsigned int[3]: of the thread's id in there, how many bits it has, how many there are, and at which byte it is
  _thread_db_pthread_tid: { type: "pointer", optional: true },
  chdir: { type: "pointer" },
  clock_gettime: { type: "pointer" },
  close: { type: "pointer" },
  dup2: { type: "pointer" },
  dup3: { type: "pointer" },
  epoll_create1: { type: "pointer" },
  epoll_ctl: { type: "pointer" },
  eventfd: { type: "pointer" },
  execve: { type: "pointer" },
  fcntl: { type: "pointer" },
  fork: { type: "pointer" },
  getppid: { type: "pointer" },
  madvise: { type: "pointer" },
  memcmp: { type: "pointer" },
  memcpy: { type: "pointer" },
  // void *memmem(const void *haystack, size_t haystacklen, const void *needle, size_t needlelen);
  memmem: { type: "pointer" },
  // void *memset(void *s, int c, size_t n);
  memset: { type: "pointer" },
  open: { type: "pointer" },
  pipe2: { type: "pointer" },
  pread: { type: "pointer" },
  prctl: { type: "pointer" },
  pthread_create: { type: "pointer" },
  pthread_sigmask: { type: "pointer" },
  read: { type: "pointer" },
  setpgid: { type: "pointer" },
  setpriority: { type: "pointer" },
  setrlimit: { type: "pointer" },
  setsid: { type: "pointer" },
  sigaction: { type: "pointer" },
  socketpair: { type: "pointer" },
  syscall: { type: "pointer" },
  umask: { type: "pointer" },
  write: { type: "pointer" },
});

/** Memory that is mapped; addresses are usize, since what is mapped is ours to know by its address. */
export const mappingSymbols = lazySymbols({
  // void *mmap(void *addr, size_t length, int prot, int flags, int fd, off_t offset);
  mmap: {
    parameters: ["usize", "usize", "i32", "i32", "i32", "i64"],
    result: "usize",
  },
  // int munmap(void *addr, size_t length);
  munmap: { parameters: ["usize", "usize"], result: "i32" },
  // int mprotect(void *addr, size_t length, int prot);
  mprotect: { parameters: ["usize", "usize", "i32"], result: "i32" },
  // int msync(void *addr, size_t length, int flags);
  msync: { parameters: ["usize", "usize", "i32"], result: "i32" },
});

/** Files that memory is mapped from. */
export const memoryFileSymbols = lazySymbols({
  // int memfd_create(const char *name, unsigned int flags);
  memfd_create: { parameters: ["buffer", "u32"], result: "i32" },
  // int ftruncate(int fd, off_t length);
  ftruncate: { parameters: ["i32", "i64"], result: "i32" },
  // int posix_fallocate(int fd, off_t offset, off_t len);
  posix_fallocate: { parameters: ["i32", "i64", "i64"], result: "i32" },
  // int linkat(int olddirfd, const char *oldpath, int newdirfd, const char *newpath, int flags);
  linkat: {
    parameters: ["i32", "buffer", "i32", "buffer", "i32"],
    result: "i32",
  },
});

/** Mutexes of libc; they are known by their address, since what is locked must be unlocked even where its buffer is detached. */
export const mutexSymbols = lazySymbols({
  // int pthread_mutexattr_init(pthread_mutexattr_t *attr);
  pthread_mutexattr_init: { parameters: ["buffer"], result: "i32" },
  // int pthread_mutexattr_setpshared(pthread_mutexattr_t *attr, int pshared);
  pthread_mutexattr_setpshared: {
    parameters: ["buffer", "i32"],
    result: "i32",
  },
  // int pthread_mutexattr_setrobust(pthread_mutexattr_t *attr, int robustness);
  pthread_mutexattr_setrobust: { parameters: ["buffer", "i32"], result: "i32" },
  // int pthread_mutexattr_settype(pthread_mutexattr_t *attr, int type);
  pthread_mutexattr_settype: { parameters: ["buffer", "i32"], result: "i32" },
  // int pthread_mutex_init(pthread_mutex_t *mutex, const pthread_mutexattr_t *attr);
  pthread_mutex_init: { parameters: ["buffer", "buffer"], result: "i32" },
  // int pthread_mutex_trylock(pthread_mutex_t *mutex);
  pthread_mutex_trylock: { parameters: ["usize"], result: "i32" },
  // int pthread_mutex_consistent(pthread_mutex_t *mutex);
  pthread_mutex_consistent: { parameters: ["usize"], result: "i32" },
  // int pthread_mutex_unlock(pthread_mutex_t *mutex);
  pthread_mutex_unlock: { parameters: ["usize"], result: "i32" },
});

/** Sleeping until memory changes, across processes. */
export const futexSymbols = lazySymbols({
  // long syscall(SYS_futex, uint32_t *uaddr, FUTEX_WAIT, uint32_t val, const struct timespec *timeout);
  futex_wait: {
    name: "syscall",
    parameters: ["i64", "buffer", "i32", "i32", "buffer"],
    result: "i32",
  },
  // long syscall(SYS_futex, uint32_t *uaddr, FUTEX_WAKE, uint32_t val);
  futex_wake: {
    name: "syscall",
    parameters: ["i64", "buffer", "i32", "i32"],
    result: "i32",
  },
  // The same for a word whose buffer is detached.
  futex_wake_at: {
    name: "syscall",
    parameters: ["i64", "usize", "i32", "i32"],
    result: "i32",
  },
});

/** The same sleep on a thread of Deno's pool. */
// long syscall(SYS_futex, uint32_t *uaddr, FUTEX_WAIT, uint32_t val, const struct timespec *timeout);
export const sharedFutexWaitOnPool = poolCall({
  name: "syscall",
  parameters: ["i64", "buffer", "i32", "i32", "buffer"],
  result: "i32",
  nonblocking: true,
});

/** What queues need beyond: sleeping for a lock, ringing a bell, and files beyond what is mapped. */
export const queueSymbols = lazySymbols({
  // int pthread_mutex_lock(pthread_mutex_t *mutex);
  pthread_mutex_lock: { parameters: ["usize"], result: "i32" },
  // int pthread_mutex_timedlock(pthread_mutex_t *mutex, const struct timespec *abstime);
  pthread_mutex_timedlock: { parameters: ["usize", "buffer"], result: "i32" },
  // long syscall(SYS_futex, uint32_t *uaddr, FUTEX_WAKE_OP, uint32_t val, uint32_t val2, uint32_t *uaddr2, uint32_t val3);
  futex_wake_op: {
    name: "syscall",
    parameters: ["i64", "usize", "i32", "i32", "usize", "usize", "u32"],
    result: "i32",
  },
  // int sched_yield(void);
  sched_yield: { parameters: [], result: "i32" },
  // ssize_t pread(int fd, void *buf, size_t count, off_t offset);
  pread: { parameters: ["i32", "buffer", "usize", "i64"], result: "i32" },
  // ssize_t pwrite(int fd, const void *buf, size_t count, off_t offset);
  pwrite: { parameters: ["i32", "buffer", "usize", "i64"], result: "i32" },
  // int fallocate(int fd, int mode, off_t offset, off_t len);
  fallocate: { parameters: ["i32", "i32", "i64", "i64"], result: "i32" },
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

/** The share of the CPUs that a thread gets, and which ones. */
export const schedulingSymbols = lazySymbols({
  // long syscall(SYS_getpriority, int which, id_t who); 20 minus the nice value, never negative as glibc's result may be
  getpriority: {
    name: "syscall",
    parameters: ["i64", "i32", "u32"],
    result: "i32",
  },
  // int setpriority(int which, id_t who, int prio);
  setpriority: { parameters: ["i32", "u32", "i32"], result: "i32" },
  // int sched_getaffinity(pid_t pid, size_t cpusetsize, cpu_set_t *mask);
  sched_getaffinity: { parameters: ["i32", "usize", "buffer"], result: "i32" },
  // int sched_setaffinity(pid_t pid, size_t cpusetsize, const cpu_set_t *mask);
  sched_setaffinity: { parameters: ["i32", "usize", "buffer"], result: "i32" },
});

/** Who is in the foreground of a terminal, and its name. */
export const foregroundSymbols = lazySymbols({
  // pid_t tcgetpgrp(int fd);
  tcgetpgrp: { parameters: ["i32"], result: "i32" },
  // int tcsetpgrp(int fd, pid_t pgrp);
  tcsetpgrp: { parameters: ["i32", "i32"], result: "i32" },
  // int ttyname_r(int fd, char *buf, size_t buflen);
  ttyname_r: { parameters: ["i32", "buffer", "usize"], result: "i32" },
});

/** What it takes to put the figures of /proc into words: units, the clock since boot, owners and their names. */
export const accountingSymbols = lazySymbols({
  // long sysconf(int name);
  sysconf: { parameters: ["i32"], result: "i64" },
  // int clock_gettime(clockid_t clockid, struct timespec *tp);
  clock_gettime: { parameters: ["i32", "buffer"], result: "i32" },
  // int statx(int dirfd, const char *pathname, int flags, unsigned int mask, struct statx *statxbuf);
  statx: {
    parameters: ["i32", "buffer", "i32", "u32", "buffer"],
    result: "i32",
  },
  // int getpwuid_r(uid_t uid, struct passwd *pwd, char *buf, size_t buflen, struct passwd **result);
  getpwuid_r: {
    parameters: ["u32", "buffer", "buffer", "usize", "buffer"],
    result: "i32",
  },
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

/** Signals with what is told about them, and a handler of machine code. */
export const siginfoSymbols = lazySymbols({
  // int sigqueue(pid_t pid, int sig, const union sigval value);
  sigqueue: { parameters: ["i32", "i32", "u64"], result: "i32" },
  // int sigpending(sigset_t *set);
  sigpending: { parameters: ["buffer"], result: "i32" },
  // int pause(void);
  pause: { parameters: [], result: "i32" },
  // pid_t gettid(void);
  gettid: { parameters: [], result: "i32" },
  // long syscall(SYS_rt_tgsigqueueinfo, pid_t tgid, pid_t tid, int sig, siginfo_t *info);
  rt_tgsigqueueinfo: {
    name: "syscall",
    parameters: ["i64", "i32", "i32", "i32", "buffer"],
    result: "i32",
  },
});

/** Timers. */
export const timerSymbols = lazySymbols({
  // int setitimer(int which, const struct itimerval *new_value, struct itimerval *old_value);
  setitimer: { parameters: ["i32", "buffer", "buffer"], result: "i32" },
  // int getitimer(int which, struct itimerval *curr_value);
  getitimer: { parameters: ["i32", "buffer"], result: "i32" },
  // int timerfd_create(int clockid, int flags);
  timerfd_create: { parameters: ["i32", "i32"], result: "i32" },
  // int timerfd_settime(int fd, int flags, const struct itimerspec *new_value, struct itimerspec *old_value);
  timerfd_settime: {
    parameters: ["i32", "i32", "buffer", "buffer"],
    result: "i32",
  },
  // int timerfd_gettime(int fd, struct itimerspec *curr_value);
  timerfd_gettime: { parameters: ["i32", "buffer"], result: "i32" },
});

/** Waiting for children. */
export const waitSymbols = lazySymbols({
  // pid_t waitpid(pid_t pid, int *wstatus, int options);
  waitpid: { parameters: ["i32", "buffer", "i32"], result: "i32" },
  // pid_t wait4(pid_t pid, int *wstatus, int options, struct rusage *rusage);
  wait4: { parameters: ["i32", "buffer", "i32", "buffer"], result: "i32" },
  // int waitid(idtype_t idtype, id_t id, siginfo_t *infop, int options);
  waitid: { parameters: ["i32", "u32", "buffer", "i32"], result: "i32" },
  // long syscall(SYS_waitid, idtype_t idtype, id_t id, siginfo_t *infop, int options, struct rusage *rusage); glibc's has no rusage
  waitid_usage: {
    name: "syscall",
    parameters: ["i64", "i32", "i32", "buffer", "i32", "buffer"],
    result: "i32",
  },
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

/** Sockets, locks on files, and copying between descriptors. */
export const exchangeSymbols = lazySymbols({
  // int socketpair(int domain, int type, int protocol, int sv[2]);
  socketpair: { parameters: ["i32", "i32", "i32", "buffer"], result: "i32" },
  // ssize_t sendmsg(int sockfd, const struct msghdr *msg, int flags);
  sendmsg: { parameters: ["i32", "buffer", "i32"], result: "i32" },
  // ssize_t recvmsg(int sockfd, struct msghdr *msg, int flags);
  recvmsg: { parameters: ["i32", "buffer", "i32"], result: "i32" },
  // int shutdown(int sockfd, int how);
  shutdown: { parameters: ["i32", "i32"], result: "i32" },
  // int flock(int fd, int operation);
  flock: { parameters: ["i32", "i32"], result: "i32" },
  // ssize_t splice(int fd_in, off_t *off_in, int fd_out, off_t *off_out, size_t size, unsigned int flags);
  splice: {
    parameters: ["i32", "buffer", "i32", "buffer", "usize", "u32"],
    result: "i32",
  },
  // ssize_t tee(int fd_in, int fd_out, size_t size, unsigned int flags);
  tee: { parameters: ["i32", "i32", "usize", "u32"], result: "i32" },
});

/** Memory that V8 does not free. */
export const allocationSymbols = lazySymbols({
  // void *malloc(size_t size);
  malloc: { parameters: ["usize"], result: "usize" },
  // void free(void *ptr);
  free: { parameters: ["usize"], result: "void" },
});

/** Waiting for descriptors on a thread of Deno's pool. */
// int poll(struct pollfd *fds, nfds_t nfds, int timeout);
export const pollOnPool = poolCall({
  name: "poll",
  parameters: ["usize", "u64", "i32"],
  result: "i32",
  nonblocking: true,
});

/** Waiting for descriptors by the kernel alone, which adds to an eventfd when one is ready. */
export const bellSymbols = lazySymbols({
  // int epoll_create1(int flags);
  epoll_create1: { parameters: ["i32"], result: "i32" },
  // int epoll_ctl(int epfd, int op, int fd, struct epoll_event *event);
  epoll_ctl: { parameters: ["i32", "i32", "i32", "buffer"], result: "i32" },
  // int epoll_wait(int epfd, struct epoll_event *events, int maxevents, int timeout);
  epoll_wait: { parameters: ["i32", "buffer", "i32", "i32"], result: "i32" },
  // long syscall(SYS_io_setup, unsigned int nr_events, aio_context_t *ctx_idp);
  io_setup: {
    name: "syscall",
    parameters: ["i64", "u32", "buffer"],
    result: "i32",
  },
  // long syscall(SYS_io_submit, aio_context_t ctx_id, long nr, struct iocb **iocbpp);
  io_submit: {
    name: "syscall",
    parameters: ["i64", "u64", "i64", "buffer"],
    result: "i32",
  },
  // long syscall(SYS_io_getevents, aio_context_t ctx_id, long min_nr, long nr, struct io_event *events, struct timespec *timeout);
  io_getevents: {
    name: "syscall",
    parameters: ["i64", "u64", "i64", "i64", "buffer", "usize"],
    result: "i32",
  },
  // long syscall(SYS_io_cancel, aio_context_t ctx_id, struct iocb *iocb, struct io_event *result);
  io_cancel: {
    name: "syscall",
    parameters: ["i64", "u64", "buffer", "buffer"],
    result: "i32",
  },
});

/** Reading /proc: a group of its own, since a list of processes needs little else. */
export const procSymbols = lazySymbols({
  // int open(const char *pathname, int flags, mode_t mode);
  open: { parameters: ["buffer", "i32", "u32"], result: "i32" },
  // int close(int fd);
  close: { parameters: ["i32"], result: "i32" },
  // ssize_t read(int fd, void *buf, size_t count);
  read: { parameters: ["i32", "buffer", "usize"], result: "i32" },
  // ssize_t pread(int fd, void *buf, size_t count, off_t offset);
  pread: { parameters: ["i32", "buffer", "usize", "i64"], result: "i32" },
  // long syscall(SYS_getdents64, int fd, void *dirp, size_t count); glibc has no wrapper before 2.30
  getdents64: {
    name: "syscall",
    parameters: ["i64", "i32", "buffer", "usize"],
    result: "i32",
  },
  // ssize_t readlink(const char *pathname, char *buf, size_t bufsiz);
  readlink: { parameters: ["buffer", "buffer", "usize"], result: "i32" },
});

/** What it takes to carry a whole runtime over a fork. */
export const forkSymbols = lazySymbols({
  // pid_t _Fork(void); from glibc 2.34 on
  _Fork: { parameters: [], result: "i32", optional: true },
  // pid_t fork(void);
  fork: { parameters: [], result: "i32" },
  // pid_t gettid(void); a thread has the process's own id only if it is the main one
  gettid: { parameters: [], result: "i32" },
  // int clock_gettime(clockid_t clockid, struct timespec *tp);
  clock_gettime: { parameters: ["i32", "buffer"], result: "i32" },
  // int madvise(void *addr, size_t length, int advice);
  madvise: { parameters: ["usize", "usize", "i32"], result: "i32" },
  // int usleep(useconds_t usec);
  usleep: { parameters: ["u32"], result: "i32" },
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
}, { run() {} });

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
  // FILE *fdopen(int fd, const char *mode);
  fdopen: { parameters: ["i32", "buffer"], result: "usize" },
  // int setvbuf(FILE *stream, char *buf, int mode, size_t size);
  setvbuf: { parameters: ["usize", "buffer", "i32", "usize"], result: "i32" },
  // int fclose(FILE *stream);
  fclose: { parameters: ["usize"], result: "i32" },
});

/** The environment of the process. */
export const environmentSymbols = lazySymbols({
  // extern char **environ;
  environ: { type: "pointer" },
  // char *getenv(const char *name);
  getenv: { parameters: ["buffer"], result: "usize" },
  // size_t strlen(const char *s);
  strlen: { parameters: ["usize"], result: "usize" },
  // void *memmove(void *dest, const void *src, size_t n); the address of a symbol, as it moves nothing
  address_of: {
    name: "memmove",
    parameters: ["pointer", "buffer", "usize"],
    result: "usize",
  },
});

/** What is to be known before a program is started. */
export const programSymbols = lazySymbols({
  // uid_t geteuid(void);
  geteuid: { parameters: [], result: "u32" },
  // long syscall(SYS_close_range, unsigned int first, unsigned int last, int flags);
  close_range: {
    name: "syscall",
    parameters: ["i64", "u32", "u32", "i32"],
    result: "i32",
  },
});
