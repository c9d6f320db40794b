/**
 * The constants of C's headers, under their names in C, with the values of the running machine's architecture.
 *
 * `tests/ffi/constants_test.ts` compares them with what the C compiler says.
 */

import { ARCHITECTURE } from "./_libc.ts";

const arm64 = ARCHITECTURE === "aarch64";

// open(2): access modes and flags

/** Open for reading only. */
export const O_RDONLY: number = 0;

/** Open for writing only. */
export const O_WRONLY: number = 1;

/** Open for reading and writing; a FIFO opened so does not wait for its other end. */
export const O_RDWR: number = 2;

/** The mask of the three access modes. */
export const O_ACCMODE: number = 3;

/** Create the file if it is not there. */
export const O_CREAT: number = 0o100;

/** With `O_CREAT`: fail with `EEXIST` if the file is there. */
export const O_EXCL: number = 0o200;

/** Do not let a terminal become the controlling terminal. */
export const O_NOCTTY: number = 0o400;

/** Cut a regular file to length 0. */
export const O_TRUNC: number = 0o1000;

/** Put each write at the end of the file. */
export const O_APPEND: number = 0o2000;

/** Fail with `EAGAIN` instead of waiting. */
export const O_NONBLOCK: number = 0o4000;

/** BSD's name for `O_NONBLOCK`. */
export const O_NDELAY: number = 0o4000;

/** Return from a write when its data are on the disk. */
export const O_DSYNC: number = 0o10000;

/** Send a signal when input or output becomes possible. */
export const O_ASYNC: number = 0o20000;

/** Bypass the page cache; for `pipe2`: packet mode. */
export const O_DIRECT: number = arm64 ? 0o200000 : 0o40000;

/** Always on where files have 64-bit sizes, and so 0 here. */
export const O_LARGEFILE: number = 0;

/** Fail with `ENOTDIR` unless the path is a directory. */
export const O_DIRECTORY: number = arm64 ? 0o40000 : 0o200000;

/** Fail with `ELOOP` if the path is a symbolic link. */
export const O_NOFOLLOW: number = arm64 ? 0o100000 : 0o400000;

/** Do not update the time of last access. */
export const O_NOATIME: number = 0o1000000;

/** Close the descriptor when another program is executed. */
export const O_CLOEXEC: number = 0o2000000;

/** Return from a write when its data and all metadata are on the disk. */
export const O_SYNC: number = 0o4010000;

/** The same as `O_SYNC` on Linux. */
export const O_RSYNC: number = 0o4010000;

/** Only a handle to the path: no reading, no writing. */
export const O_PATH: number = 0o10000000;

/** A nameless temporary file in the given directory. */
export const O_TMPFILE: number = 0o20000000 | O_DIRECTORY;

// fcntl(2) and ioctl(2)

/** Duplicate a descriptor, close-on-exec. */
export const F_DUPFD_CLOEXEC: number = 1030;

/** Get the descriptor flags. */
export const F_GETFD: number = 1;

/** Set the descriptor flags. */
export const F_SETFD: number = 2;

/** Get the status flags. */
export const F_GETFL: number = 3;

/** Set the status flags. */
export const F_SETFL: number = 4;

/** Set the capacity of a pipe in bytes. */
export const F_SETPIPE_SZ: number = 1031;

/** Get the capacity of a pipe in bytes. */
export const F_GETPIPE_SZ: number = 1032;

/** The one descriptor flag: close on exec. */
export const FD_CLOEXEC: number = 1;

/** Set the signal that announces input or output, `SIGIO` if 0; a property of the open file description. */
export const F_SETSIG: number = 10;

/** Get the signal that announces input or output. */
export const F_GETSIG: number = 11;

/** Get the number of bytes that can be read at once. */
export const FIONREAD: number = 0x541b;

/** Get the number of the pseudo-terminal; its controller alone answers. */
export const TIOCGPTN: number = 0x80045430;

// lseek(2)

/** Offsets count from the current position. */
export const SEEK_CUR: number = 1;

// Pipes

/** A write to a pipe of at most this many bytes is atomic. */
export const PIPE_BUF: number = 4096;

// poll(2): events

/** There is something to read, or the end. */
export const POLLIN: number = 0x1;

/** There is something urgent to read. */
export const POLLPRI: number = 0x2;

/** Writing would not block. */
export const POLLOUT: number = 0x4;

/** An error; for a pipe: nobody reads any more. Reported unasked. */
export const POLLERR: number = 0x8;

/** The other end is closed. Reported unasked. */
export const POLLHUP: number = 0x10;

/** The descriptor is not open. Reported unasked. */
export const POLLNVAL: number = 0x20;

/** The peer of a stream socket has closed its writing side. */
export const POLLRDHUP: number = 0x2000;

// statx(2)

/** Paths are relative to the working directory. */
export const AT_FDCWD: number = -100;

/** The descriptor itself is meant, not a path below it. */
export const AT_EMPTY_PATH: number = 0x1000;

/** Ask for the file type. */
export const STATX_TYPE: number = 0x1;

/** Ask for the owner. */
export const STATX_UID: number = 0x8;

/** Ask for the inode number. */
export const STATX_INO: number = 0x100;

/** Ask for the size. */
export const STATX_SIZE: number = 0x200;

/** The mask of the file type in a mode. */
export const S_IFMT: number = 0o170000;

/** A regular file. */
export const S_IFREG: number = 0o100000;

/** A socket. */
export const S_IFSOCK: number = 0o140000;

/** A FIFO or pipe. */
export const S_IFIFO: number = 0o10000;

// waitpid(2) and waitid(2)

/** Do not wait: give `null` if no child has changed. */
export const WNOHANG: number = 1;

/** Also report children that were stopped. */
export const WUNTRACED: number = 2;

/** `waitid`: report children that were stopped. */
export const WSTOPPED: number = 2;

/** `waitid`: report children that have ended. */
export const WEXITED: number = 4;

/** Also report children that were continued by SIGCONT. */
export const WCONTINUED: number = 8;

/** `waitid`: leave the child waitable, so that it can be reported again. */
export const WNOWAIT: number = 0x1000000;

/** `waitid`: any child. */
export const P_ALL: number = 0;

/** `waitid`: the child with a pid. */
export const P_PID: number = 1;

/** `waitid`: any child of a process group. */
export const P_PGID: number = 2;

/** `waitid`: the child that a pidfd refers to. */
export const P_PIDFD: number = 3;

/** `si_code`: the child has exited. */
export const CLD_EXITED: number = 1;

/** `si_code`: the child was killed by a signal. */
export const CLD_KILLED: number = 2;

/** `si_code`: the child was killed by a signal and dumped core. */
export const CLD_DUMPED: number = 3;

/** `si_code`: the traced child has stopped. */
export const CLD_TRAPPED: number = 4;

/** `si_code`: the child was stopped by a signal. */
export const CLD_STOPPED: number = 5;

/** `si_code`: the child was continued by SIGCONT. */
export const CLD_CONTINUED: number = 6;

// sigaction(2) and sigprocmask(2)

/** The default action. */
export const SIG_DFL: number = 0;

/** Ignore the signal. */
export const SIG_IGN: number = 1;

/** Add to the mask. */
export const SIG_BLOCK: number = 0;

/** Take from the mask. */
export const SIG_UNBLOCK: number = 1;

/** Replace the mask. */
export const SIG_SETMASK: number = 2;

/** The handler is told more than the signal's number. */
export const SA_SIGINFO: number = 4;

/** The handler runs on the thread's alternate stack, where there is one. */
export const SA_ONSTACK: number = 0x0800_0000;

/** System calls that the handler interrupts go on where they can. */
export const SA_RESTART: number = 0x1000_0000;

/** `si_code`: sent by `kill`. */
export const SI_USER: number = 0;

/** `si_code`: sent by `sigqueue`. */
export const SI_QUEUE: number = -1;

/** `si_code`: a POSIX timer has expired. */
export const SI_TIMER: number = -2;

/** `si_code`: a message has come into an empty queue. */
export const SI_MESGQ: number = -3;

/** `si_code`: sent to one thread, by `tgkill`. */
export const SI_TKILL: number = -6;

/** `si_code`: sent by the kernel. */
export const SI_KERNEL: number = 0x80;

// getrlimit(2)

/** CPU time in seconds. */
export const RLIMIT_CPU: number = 0;

/** Size of a written file in bytes. */
export const RLIMIT_FSIZE: number = 1;

/** Size of the data segment in bytes. */
export const RLIMIT_DATA: number = 2;

/** Size of the stack in bytes. */
export const RLIMIT_STACK: number = 3;

/** Size of a core file in bytes. */
export const RLIMIT_CORE: number = 4;

/** Resident memory in bytes; without effect today. */
export const RLIMIT_RSS: number = 5;

/** Number of processes of the user. */
export const RLIMIT_NPROC: number = 6;

/** One more than the highest descriptor. */
export const RLIMIT_NOFILE: number = 7;

/** Locked memory in bytes. */
export const RLIMIT_MEMLOCK: number = 8;

/** Address space in bytes. */
export const RLIMIT_AS: number = 9;

/** Number of file locks; without effect today. */
export const RLIMIT_LOCKS: number = 10;

/** Number of queued signals of the user. */
export const RLIMIT_SIGPENDING: number = 11;

/** Bytes in POSIX message queues of the user. */
export const RLIMIT_MSGQUEUE: number = 12;

/** Ceiling of the nice value, as 20 minus it. */
export const RLIMIT_NICE: number = 13;

/** Ceiling of the real-time priority. */
export const RLIMIT_RTPRIO: number = 14;

/** CPU time of a real-time process without a blocking call, in microseconds. */
export const RLIMIT_RTTIME: number = 15;

// prctl(2)

/** Set the signal that the process gets when its parent ends. */
export const PR_SET_PDEATHSIG: number = 1;

/** `prctl`: whether the process dumps core, and others of its user may look into it. */
export const PR_GET_DUMPABLE: number = 3;

/** `prctl`: has it do so. */
export const PR_SET_DUMPABLE: number = 4;

/** Set the name of the calling thread. */
export const PR_SET_NAME: number = 15;

/** Become the parent of descendants whose own parent has ended. */
export const PR_SET_CHILD_SUBREAPER: number = 36;

// sysconf(3) and clock_gettime(2)

/** The number of clock ticks in a second, in which the kernel tells times. */
export const _SC_CLK_TCK: number = 2;

/** The number of bytes in a page of memory. */
export const _SC_PAGESIZE: number = 30;

/** The clock on the wall. */
export const CLOCK_REALTIME: number = 0;

/** The time since boot, the time asleep included. */
export const CLOCK_BOOTTIME: number = 7;

// setpriority(2)

/** `setpriority`: one process. */
export const PRIO_PROCESS: number = 0;

// clone(2)

/** The child has the same memory as its parent, not a copy of it. */
export const CLONE_VM: number = 0x100;

/** The child has the same descriptors as its parent, not copies of them. */
export const CLONE_FILES: number = 0x400;

/** The parent is given a pidfd of the child. */
export const CLONE_PIDFD: number = 0x1000;

/** The parent does not go on before the child has executed a program, or has ended. */
export const CLONE_VFORK: number = 0x4000;

/** Signals for which the parent has handlers have their default actions in the child; the others are as they are in the parent. */
export const CLONE_CLEAR_SIGHAND: number = 0x1_0000_0000;

// close_range(2)

/** Has the process take copies of the other descriptors, and no longer share any. */
export const CLOSE_RANGE_UNSHARE: number = 2;

// fork: memory, events and sockets

/** Let the pages be there in a forked child again. */
export const MADV_DOFORK: number = 11;

// mmap(2), mprotect(2) and msync(2)

/** The memory can be read. */
export const PROT_READ: number = 1;

/** The memory can be written. */
export const PROT_WRITE: number = 2;

/** The memory cannot be touched. */
export const PROT_NONE: number = 0;

/** What is written is seen by all who map the same, and goes to the file. */
export const MAP_SHARED: number = 1;

/** What is written is seen by nobody else. */
export const MAP_PRIVATE: number = 2;

/** No file is behind the memory. */
export const MAP_ANONYMOUS: number = 0x20;

/** Write to the file, and wait until that is done. */
export const MS_SYNC: number = 4;

// memfd_create(2) and its seals

/** Close on exec. */
export const MFD_CLOEXEC: number = 1;

/** Let seals be set. */
export const MFD_ALLOW_SEALING: number = 2;

/** Set seals. */
export const F_ADD_SEALS: number = 1033;

/** Get the seals. */
export const F_GET_SEALS: number = 1034;

/** No more seals. */
export const F_SEAL_SEAL: number = 1;

/** The file does not shrink. */
export const F_SEAL_SHRINK: number = 2;

/** The file does not grow. */
export const F_SEAL_GROW: number = 4;

/** The file is not written to, through memory either. */
export const F_SEAL_WRITE: number = 8;

/** The file is not written to, but by those who have it mapped already. */
export const F_SEAL_FUTURE_WRITE: number = 16;

/** `fallocate`: leave the file as long as it is. */
export const FALLOC_FL_KEEP_SIZE: number = 1;

/** `fallocate`: give the memory of a part of the file back. */
export const FALLOC_FL_PUNCH_HOLE: number = 2;

/** `linkat`: follow a symbolic link. */
export const AT_SYMLINK_FOLLOW: number = 0x400;

// pthread_mutexattr(3)

/** Processes share the mutex. */
export const PTHREAD_PROCESS_SHARED: number = 1;

/** The mutex tells of an owner that has died. */
export const PTHREAD_MUTEX_ROBUST: number = 1;

/** The mutex tells its owner from others. */
export const PTHREAD_MUTEX_ERRORCHECK: number = 2;

// futex(2)

/** Sleep until woken, if the word is as expected. */
export const FUTEX_WAIT: number = 0;

/** Wake those who sleep on the word. */
export const FUTEX_WAKE: number = 1;

/** Change another word, and wake those who sleep on either. */
export const FUTEX_WAKE_OP: number = 5;

/** In the word of a robust mutex: somebody may sleep on it. */
export const FUTEX_WAITERS: number = 0x80000000;

/** In the word of a robust mutex: its owner has died. */
export const FUTEX_OWNER_DIED: number = 0x40000000;

/** In the word of a robust mutex: the mask of the owner's thread id. */
export const FUTEX_TID_MASK: number = 0x3fffffff;

/** `eventfd`: close on exec. */
export const EFD_CLOEXEC: number = 0o2000000;

/** `eventfd`: never wait. */
export const EFD_NONBLOCK: number = 0o4000;

/** `epoll_create1`: close on exec. */
export const EPOLL_CLOEXEC: number = 0o2000000;

/** `epoll_ctl`: add a descriptor. */
export const EPOLL_CTL_ADD: number = 1;

/** `epoll_ctl`: remove a descriptor. */
export const EPOLL_CTL_DEL: number = 2;

/** `epoll_ctl`: change what a descriptor is watched for. */
export const EPOLL_CTL_MOD: number = 3;

/** `io_submit`: a poll of one descriptor, which is over when it is ready. */
export const IOCB_CMD_POLL: number = 5;

/** `io_submit`: add 1 to an eventfd when it is over. */
export const IOCB_FLAG_RESFD: number = 1;

/** Local sockets. */
export const AF_UNIX: number = 1;

/** A stream socket. */
export const SOCK_STREAM: number = 1;

/** `getsockopt`: the level of what all sockets have. */
export const SOL_SOCKET: number = 1;

/** `getsockopt`: whether the socket listens. */
export const SO_ACCEPTCONN: number = 30;
/** `getsockopt`: the kind of socket, such as `SOCK_STREAM`. */
export const SO_TYPE: number = 3;
/** `getsockopt`: the family of its addresses, such as `AF_UNIX`. */
export const SO_DOMAIN: number = 39;
/** The family of IPv4 addresses. */
export const AF_INET: number = 2;
/** The family of IPv6 addresses. */
export const AF_INET6: number = 10;

/** `socket`: never wait. */
export const SOCK_NONBLOCK: number = 0o4000;

/** `socket`: close on exec. */
export const SOCK_CLOEXEC: number = 0o2000000;

// socketpair(2), sendmsg(2) and recvmsg(2)

/** `socketpair`: datagrams, each kept in one piece. */
export const SOCK_DGRAM: number = 2;

/** `socketpair`: packets, each kept in one piece, with an end like that of a stream. */
export const SOCK_SEQPACKET: number = 5;

/** The type of control messages that carry descriptors. */
export const SCM_RIGHTS: number = 1;

/** `sendmsg`: `EPIPE`, but no SIGPIPE. */
export const MSG_NOSIGNAL: number = 0x4000;

/** `recvmsg`: control messages were cut off. */
export const MSG_CTRUNC: number = 0x8;

/** `recvmsg`: received descriptors are close-on-exec. */
export const MSG_CMSG_CLOEXEC: number = 0x4000_0000;

/** `shutdown`: nothing is read any more. */
export const SHUT_RD: number = 0;

/** `shutdown`: nothing is written any more; the peer reads the end. */
export const SHUT_WR: number = 1;

/** `shutdown`: neither. */
export const SHUT_RDWR: number = 2;

// eventfd(2)

/** `eventfd`: a read takes 1 from the value instead of all of it. */
export const EFD_SEMAPHORE: number = 1;

// flock(2)

/** `flock`: a lock that several may hold at once. */
export const LOCK_SH: number = 1;

/** `flock`: a lock for one holder. */
export const LOCK_EX: number = 2;

/** `flock`: do not wait. */
export const LOCK_NB: number = 4;

/** `flock`: let the lock go. */
export const LOCK_UN: number = 8;

// splice(2) and tee(2)

/** `splice`: a hint to move pages instead of copying them; without effect today. */
export const SPLICE_F_MOVE: number = 1;

/** `splice`, `tee`: do not wait for the pipe. */
export const SPLICE_F_NONBLOCK: number = 2;

/** `splice`: more will follow, a hint for sockets. */
export const SPLICE_F_MORE: number = 4;

// Memory that holds code

/** The memory can be executed. */
export const PROT_EXEC: number = 4;

// setitimer(2) and timerfd_create(2)

/** Counts time; SIGALRM when it expires. */
export const ITIMER_REAL: number = 0;

/** Counts the process's own CPU time; SIGVTALRM. */
export const ITIMER_VIRTUAL: number = 1;

/** Counts that and the kernel's on its behalf; SIGPROF. */
export const ITIMER_PROF: number = 2;

/** The clock that nobody sets. */
export const CLOCK_MONOTONIC: number = 1;

/** `timerfd_create`: never wait. */
export const TFD_NONBLOCK: number = 0o4000;

/** `timerfd_create`: close on exec. */
export const TFD_CLOEXEC: number = 0o2000000;

// Numbers of system calls that glibc has no wrapper for everywhere, and of those that a thread may be found asleep in

/** The number of the system call. */
export const SYS_clone: number = arm64 ? 220 : 56;

/** The number of the system call. */
export const SYS_clone3: number = 435;

/** The number of the system call. */
export const SYS_close_range: number = 436;

/** The number of the system call. */
export const SYS_pidfd_open: number = 434;

/** The number of the system call. */
export const SYS_waitid: number = arm64 ? 95 : 247;

/** The number of the system call. */
export const SYS_pidfd_send_signal: number = 424;

/** The number of the system call. */
export const SYS_getdents64: number = arm64 ? 61 : 217;

/** The number of the system call. */
export const SYS_getpriority: number = arm64 ? 141 : 140;

/** The number of the system call. */
export const SYS_futex: number = arm64 ? 98 : 202;

/** The number of the system call. */
export const SYS_io_setup: number = arm64 ? 0 : 206;

/** The number of the system call. */
export const SYS_io_submit: number = arm64 ? 2 : 209;

/** The number of the system call. */
export const SYS_io_getevents: number = arm64 ? 4 : 208;

/** The number of the system call. */
export const SYS_io_cancel: number = arm64 ? 3 : 210;

/** The number of the system call. */
export const SYS_brk: number = arm64 ? 214 : 12;

/** The number of the system call. */
export const SYS_madvise: number = arm64 ? 233 : 28;

/** The number of the system call. */
export const SYS_mmap: number = arm64 ? 222 : 9;

/** The number of the system call. */
export const SYS_mprotect: number = arm64 ? 226 : 10;

/** The number of the system call. */
export const SYS_mremap: number = arm64 ? 216 : 25;

/** The number of the system call. */
export const SYS_munmap: number = arm64 ? 215 : 11;

/** The number of the system call: that by which one with a time limit goes on after a signal. */
export const SYS_restart_syscall: number = arm64 ? 128 : 219;

/** The number of the system call. */
export const SYS_rt_tgsigqueueinfo: number = arm64 ? 240 : 297;

/** The number of the system call. */
export const SYS_setgroups: number = arm64 ? 159 : 116;

/** The number of the system call. */
export const SYS_setresuid: number = arm64 ? 147 : 117;

/** The number of the system call. */
export const SYS_setresgid: number = arm64 ? 149 : 119;
