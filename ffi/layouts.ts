/**
 * How the structs of C lie in memory: their sizes and the offsets of their fields, in bytes.
 *
 * The two architectures agree on all of them but one. `tests/ffi/layouts_test.ts` compares them with what the C compiler says.
 */

/** A struct: how C names it, the header that declares it, its size and the offsets of its fields. */
export interface Layout<Field extends string = string> {
  /** The type's name in C, such as `struct rusage`. */
  readonly type: string;
  /** The header that declares it. */
  readonly header: string;
  /** Its size in bytes. */
  readonly size: number;
  /** The offset of each field in bytes, by its name in C. */
  readonly fields: Readonly<Record<Field, number>>;
}

/** `struct rusage` of {@link https://man7.org/linux/man-pages/man2/getrusage.2.html | getrusage(2)}. */
export const RUSAGE: Layout<
  | "ru_utime"
  | "ru_stime"
  | "ru_maxrss"
  | "ru_ixrss"
  | "ru_idrss"
  | "ru_isrss"
  | "ru_minflt"
  | "ru_majflt"
  | "ru_nswap"
  | "ru_inblock"
  | "ru_oublock"
  | "ru_msgsnd"
  | "ru_msgrcv"
  | "ru_nsignals"
  | "ru_nvcsw"
  | "ru_nivcsw"
> = {
  type: "struct rusage",
  header: "sys/resource.h",
  size: 144,
  fields: {
    ru_utime: 0,
    ru_stime: 16,
    ru_maxrss: 32,
    ru_ixrss: 40,
    ru_idrss: 48,
    ru_isrss: 56,
    ru_minflt: 64,
    ru_majflt: 72,
    ru_nswap: 80,
    ru_inblock: 88,
    ru_oublock: 96,
    ru_msgsnd: 104,
    ru_msgrcv: 112,
    ru_nsignals: 120,
    ru_nvcsw: 128,
    ru_nivcsw: 136,
  },
};

/** `siginfo_t` of {@link https://man7.org/linux/man-pages/man2/sigaction.2.html | sigaction(2)}, as `waitid` and signals fill it. */
export const SIGINFO: Layout<
  | "si_signo"
  | "si_errno"
  | "si_code"
  | "si_pid"
  | "si_uid"
  | "si_status"
  | "si_value"
> = {
  type: "siginfo_t",
  header: "signal.h",
  size: 128,
  fields: {
    si_signo: 0,
    si_errno: 4,
    si_code: 8,
    si_pid: 16,
    si_uid: 20,
    si_status: 24,
    si_value: 24,
  },
};

/** `struct rlimit` of {@link https://man7.org/linux/man-pages/man2/getrlimit.2.html | getrlimit(2)}. */
export const RLIMIT: Layout<"rlim_cur" | "rlim_max"> = {
  type: "struct rlimit",
  header: "sys/resource.h",
  size: 16,
  fields: { rlim_cur: 0, rlim_max: 8 },
};

/** `struct pollfd` of {@link https://man7.org/linux/man-pages/man2/poll.2.html | poll(2)}. */
export const POLLFD: Layout<"fd" | "events" | "revents"> = {
  type: "struct pollfd",
  header: "poll.h",
  size: 8,
  fields: { fd: 0, events: 4, revents: 6 },
};

/** glibc's `sigset_t` of {@link https://man7.org/linux/man-pages/man3/sigsetops.3.html | sigsetops(3)}: 1024 bits. */
export const SIGSET: Layout<never> = {
  type: "sigset_t",
  header: "signal.h",
  size: 128,
  fields: {},
};

/** glibc's `struct sigaction` of {@link https://man7.org/linux/man-pages/man2/sigaction.2.html | sigaction(2)}. */
export const SIGACTION: Layout<"sa_handler" | "sa_mask" | "sa_flags"> = {
  type: "struct sigaction",
  header: "signal.h",
  size: 152,
  fields: { sa_handler: 0, sa_mask: 8, sa_flags: 136 },
};

/** `struct statx` of {@link https://man7.org/linux/man-pages/man2/statx.2.html | statx(2)}. */
export const STATX: Layout<
  "stx_uid" | "stx_mode" | "stx_ino" | "stx_size"
> = {
  type: "struct statx",
  header: "sys/stat.h",
  size: 256,
  fields: { stx_uid: 20, stx_mode: 28, stx_ino: 32, stx_size: 40 },
};

/** The kernel's `struct termios2` of {@link https://man7.org/linux/man-pages/man4/tty_ioctl.4.html | tty_ioctl(4)}; without the rates it is its `struct termios`. */
export const TERMIOS2: Layout<
  | "c_iflag"
  | "c_oflag"
  | "c_cflag"
  | "c_lflag"
  | "c_line"
  | "c_cc"
  | "c_ispeed"
  | "c_ospeed"
> = {
  type: "struct termios2",
  header: "asm/termbits.h",
  size: 44,
  fields: {
    c_iflag: 0,
    c_oflag: 4,
    c_cflag: 8,
    c_lflag: 12,
    c_line: 16,
    c_cc: 17,
    c_ispeed: 36,
    c_ospeed: 40,
  },
};

/** `struct winsize` of {@link https://man7.org/linux/man-pages/man2/TIOCSWINSZ.2const.html | TIOCSWINSZ(2const)}. */
export const WINSIZE: Layout<
  "ws_row" | "ws_col" | "ws_xpixel" | "ws_ypixel"
> = {
  type: "struct winsize",
  header: "sys/ioctl.h",
  size: 8,
  fields: { ws_row: 0, ws_col: 2, ws_xpixel: 4, ws_ypixel: 6 },
};

/** `struct passwd` of {@link https://man7.org/linux/man-pages/man3/getpwuid.3.html | getpwuid(3)}. */
export const PASSWD: Layout<"pw_name"> = {
  type: "struct passwd",
  header: "pwd.h",
  size: 48,
  fields: { pw_name: 0 },
};

/** `struct msghdr` of {@link https://man7.org/linux/man-pages/man2/sendmsg.2.html | sendmsg(2)}. */
export const MSGHDR: Layout<
  "msg_iov" | "msg_iovlen" | "msg_control" | "msg_controllen" | "msg_flags"
> = {
  type: "struct msghdr",
  header: "sys/socket.h",
  size: 56,
  fields: {
    msg_iov: 16,
    msg_iovlen: 24,
    msg_control: 32,
    msg_controllen: 40,
    msg_flags: 48,
  },
};

/** `struct iovec` of {@link https://man7.org/linux/man-pages/man3/iovec.3type.html | iovec(3type)}. */
export const IOVEC: Layout<"iov_base" | "iov_len"> = {
  type: "struct iovec",
  header: "sys/uio.h",
  size: 16,
  fields: { iov_base: 0, iov_len: 8 },
};

/** `struct cmsghdr` of {@link https://man7.org/linux/man-pages/man3/cmsg.3.html | cmsg(3)}; the data follow it at once. */
export const CMSGHDR: Layout<"cmsg_len" | "cmsg_level" | "cmsg_type"> = {
  type: "struct cmsghdr",
  header: "sys/socket.h",
  size: 16,
  fields: { cmsg_len: 0, cmsg_level: 8, cmsg_type: 12 },
};

/** `struct itimerval` of {@link https://man7.org/linux/man-pages/man2/setitimer.2.html | setitimer(2)}: seconds, then microseconds. */
export const ITIMERVAL: Layout<"it_interval" | "it_value"> = {
  type: "struct itimerval",
  header: "sys/time.h",
  size: 32,
  fields: { it_interval: 0, it_value: 16 },
};

/** `struct itimerspec` of {@link https://man7.org/linux/man-pages/man2/timerfd_create.2.html | timerfd_settime(2)}: seconds, then nanoseconds. */
export const ITIMERSPEC: Layout<"it_interval" | "it_value"> = {
  type: "struct itimerspec",
  header: "sys/timerfd.h",
  size: 32,
  fields: { it_interval: 0, it_value: 16 },
};

const packed = Deno.build.arch === "x86_64";

/** `struct epoll_event` of {@link https://man7.org/linux/man-pages/man2/epoll_ctl.2.html | epoll_ctl(2)}: packed on x86-64 alone. */
export const EPOLL_EVENT: Layout<"events" | "data"> = {
  type: "struct epoll_event",
  header: "sys/epoll.h",
  size: packed ? 12 : 16,
  fields: { events: 0, data: packed ? 4 : 8 },
};

/** `struct clone_args` of {@link https://man7.org/linux/man-pages/man2/clone.2.html | clone3(2)}. */
export const CLONE_ARGS: Layout<"flags" | "pidfd" | "exit_signal"> = {
  type: "struct clone_args",
  header: "linux/sched.h",
  size: 88,
  fields: { flags: 0, pidfd: 8, exit_signal: 32 },
};

/** `struct iocb` of {@link https://man7.org/linux/man-pages/man2/io_submit.2.html | io_submit(2)}: one request. */
export const IOCB: Layout<
  "aio_lio_opcode" | "aio_fildes" | "aio_buf" | "aio_flags" | "aio_resfd"
> = {
  type: "struct iocb",
  header: "linux/aio_abi.h",
  size: 64,
  fields: {
    aio_lio_opcode: 16,
    aio_fildes: 20,
    aio_buf: 24,
    aio_flags: 56,
    aio_resfd: 60,
  },
};

/** `struct io_event` of {@link https://man7.org/linux/man-pages/man2/io_getevents.2.html | io_getevents(2)}: a request that is over. */
export const IO_EVENT: Layout<never> = {
  type: "struct io_event",
  header: "linux/aio_abi.h",
  size: 32,
  fields: {},
};
