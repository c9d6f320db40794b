/**
 * Communication between processes: descriptors, pipes and FIFOs, terminals; shared memory, locks and queues.
 *
 * | to | there is |
 * |---|---|
 * | connect two processes by a stream of bytes | {@linkcode pipe}, {@linkcode pipe2}, {@linkcode socketpair}, {@linkcode mkfifo} |
 * | read and write descriptors | {@linkcode open}, {@linkcode close}, {@linkcode read}, {@linkcode readInto}, {@linkcode readAll}, {@linkcode write}, {@linkcode writeAll} |
 * | wait for them | {@linkcode poll}, {@linkcode eventfd}, {@linkcode readableStream}, {@linkcode writableStream} |
 * | wire them | {@linkcode dup}, {@linkcode dup2}, {@linkcode dup3}, {@linkcode setCloexec}, {@linkcode setNonblock} |
 * | move bytes without reading them | {@linkcode splice}, {@linkcode tee} |
 * | hand a descriptor to another process | {@linkcode sendFds}, {@linkcode recvFds} |
 * | send values | {@linkcode Queue}, {@linkcode JoinableQueue} |
 * | have the same memory | {@linkcode SharedMemory}, {@linkcode SharedArray}, {@linkcode SharedValue}, {@linkcode memfdCreate} |
 * | take turns | {@linkcode Mutex}, {@linkcode RwLock}, {@linkcode Semaphore}, {@linkcode flock}, {@linkcode flockAsync} |
 * | wait for each other | {@linkcode Condition}, {@linkcode Event}, {@linkcode Barrier} |
 * | drive a terminal | {@linkcode openpty}, {@linkcode tcgetattr}, {@linkcode makeRaw}, {@linkcode tcsetattr}, {@linkcode tcgetwinsize}, {@linkcode tcsetwinsize} |
 *
 * Descriptors are plain numbers, as in C, and nobody but {@linkcode close} closes them. The calls block the thread, event
 * loop included, wherever the C call would wait. {@linkcode readableStream} and {@linkcode writableStream} do not: they make
 * a web stream of a descriptor, and own it from then on.
 *
 * Everything that is opened here is close-on-exec unless asked otherwise: {@linkcode pipe2} and {@linkcode dup3} take
 * exactly the flags that are given, and what {@linkcode dup2} makes is inherited, since wiring the standard input and
 * output of a program is what it is for.
 *
 * @example Sending bytes through a pipe
 * ```ts
 * import { close, pipe, readAll, writeAll } from "@posix/process/ipc";
 * import { assertEquals } from "@std/assert";
 *
 * const [reader, writer] = pipe();
 * writeAll(writer, "你好, pipe");
 * close(writer);
 * assertEquals(new TextDecoder().decode(readAll(reader)), "你好, pipe");
 * close(reader);
 * ```
 *
 * @module
 */

export {
  EFD_NONBLOCK,
  O_ACCMODE,
  O_APPEND,
  O_ASYNC,
  O_CLOEXEC,
  O_CREAT,
  O_DIRECT,
  O_DIRECTORY,
  O_DSYNC,
  O_EXCL,
  O_LARGEFILE,
  O_NDELAY,
  O_NOATIME,
  O_NOCTTY,
  O_NOFOLLOW,
  O_NONBLOCK,
  O_PATH,
  O_RDONLY,
  O_RDWR,
  O_RSYNC,
  O_SYNC,
  O_TMPFILE,
  O_TRUNC,
  O_WRONLY,
  PIPE_BUF,
  POLLERR,
  POLLHUP,
  POLLIN,
  POLLNVAL,
  POLLOUT,
  POLLPRI,
  POLLRDHUP,
  SOCK_NONBLOCK,
  SOCK_STREAM,
} from "../ffi/constants.ts";
export {
  EFD_SEMAPHORE,
  LOCK_EX,
  LOCK_NB,
  LOCK_SH,
  LOCK_UN,
  SHUT_RD,
  SHUT_RDWR,
  SHUT_WR,
  SOCK_DGRAM,
  SOCK_SEQPACKET,
  SPLICE_F_MORE,
  SPLICE_F_MOVE,
  SPLICE_F_NONBLOCK,
} from "../ffi/descriptor_constants.ts";
export {
  BRKINT,
  CLOCAL,
  CMSPAR,
  CREAD,
  CRTSCTS,
  CS5,
  CS6,
  CS7,
  CS8,
  CSIZE,
  CSTOPB,
  ECHO,
  ECHOCTL,
  ECHOE,
  ECHOK,
  ECHOKE,
  ECHONL,
  ECHOPRT,
  EXTPROC,
  FLUSHO,
  HUPCL,
  ICANON,
  ICRNL,
  IEXTEN,
  IGNBRK,
  IGNCR,
  IGNPAR,
  IMAXBEL,
  INLCR,
  INPCK,
  ISIG,
  ISTRIP,
  IUCLC,
  IUTF8,
  IXANY,
  IXOFF,
  IXON,
  NOFLSH,
  OCRNL,
  OFDEL,
  OFILL,
  OLCUC,
  ONLCR,
  ONLRET,
  ONOCR,
  OPOST,
  PARENB,
  PARMRK,
  PARODD,
  PENDIN,
  TOSTOP,
  XCASE,
  XTABS,
} from "../ffi/terminal_constants.ts";
export * from "./barrier.ts";
export * from "./close.ts";
export * from "./condition.ts";
export * from "./dup.ts";
export * from "./dup2.ts";
export * from "./dup3.ts";
export * from "./eventfd.ts";
export * from "./flock.ts";
export * from "./flock_async.ts";
export * from "./event.ts";
export * from "./get_pipe_size.ts";
export * from "./isatty.ts";
export * from "./joinable_queue.ts";
export * from "./make_raw.ts";
export * from "./memfd.ts";
export * from "./mkfifo.ts";
export * from "./mutex.ts";
export * from "./open.ts";
export * from "./openpty.ts";
export * from "./pipe.ts";
export * from "./pipe2.ts";
export * from "./poll.ts";
export * from "./queue.ts";
export * from "./queue_errors.ts";
export * from "./read.ts";
export * from "./read_all.ts";
export * from "./read_into.ts";
export * from "./readable_stream.ts";
export * from "./recv_fds.ts";
export * from "./send_fds.ts";
export * from "./rw_lock.ts";
export * from "./semaphore.ts";
export * from "./set_cloexec.ts";
export * from "./set_nonblock.ts";
export * from "./set_pipe_size.ts";
export * from "./shared_array.ts";
export * from "./shared_memory.ts";
export * from "./shared_value.ts";
export * from "./shutdown.ts";
export * from "./socketpair.ts";
export * from "./splice.ts";
export * from "./tcgetattr.ts";
export * from "./tcgetwinsize.ts";
export * from "./tcsetattr.ts";
export * from "./tcsetwinsize.ts";
export * from "./tee.ts";
export type * from "./termios.ts";
export * from "./ttyname.ts";
export * from "./unlink.ts";
export * from "./writable_stream.ts";
export * from "./write.ts";
export * from "./write_all.ts";
