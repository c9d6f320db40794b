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
  EFD_SEMAPHORE,
  LOCK_EX,
  LOCK_NB,
  LOCK_SH,
  LOCK_UN,
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
  SHUT_RD,
  SHUT_RDWR,
  SHUT_WR,
  SOCK_DGRAM,
  SOCK_NONBLOCK,
  SOCK_SEQPACKET,
  SOCK_STREAM,
  SPLICE_F_MORE,
  SPLICE_F_MOVE,
  SPLICE_F_NONBLOCK,
} from "../ffi/constants.ts";
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
export type { SharedPlacement } from "./_shared_place.ts";
export type { WaitAsyncOptions, WaitOptions } from "./_waiting.ts";
export { Barrier, BarrierBroken } from "./barrier.ts";
export { Condition } from "./condition.ts";
export {
  close,
  dup,
  dup2,
  dup3,
  open,
  setCloexec,
  setNonblock,
} from "./descriptors.ts";
export { Event } from "./event.ts";
export { flock, flockAsync, type FlockAsyncOptions } from "./flock.ts";
export { JoinableQueue } from "./joinable_queue.ts";
export { addSeals, getSeals, memfdCreate, type Seal } from "./memfd.ts";
export { type Guard, type LockGuard, Mutex } from "./mutex.ts";
export {
  getPipeSize,
  mkfifo,
  pipe,
  pipe2,
  setPipeSize,
  splice,
  tee,
  unlink,
} from "./pipes.ts";
export {
  eventfd,
  eventfdRead,
  eventfdWrite,
  poll,
  type PollRequest,
  type PollResult,
} from "./poll.ts";
export {
  Queue,
  type QueueAsyncOptions,
  type QueueGetAsyncOptions,
  type QueueGetOptions,
  type QueueOpenOptions,
  type QueueOptions,
  type QueueWaitOptions,
} from "./queue.ts";
export { QueueClosed, QueueEmpty, QueueFull } from "./queue_errors.ts";
export { read, readAll, readInto, write, writeAll } from "./read_write.ts";
export { RwLock } from "./rw_lock.ts";
export { Semaphore } from "./semaphore.ts";
export {
  type MemoryProtection,
  SharedMemory,
  type SharedMemoryMapOptions,
  type SharedMemoryOpenOptions,
} from "./shared_memory.ts";
export {
  type Numeric,
  type NumericArray,
  type NumericType,
  SharedArray,
  SharedValue,
} from "./shared_values.ts";
export {
  type ReceivedFds,
  recvFds,
  type RecvFdsOptions,
  sendFds,
  shutdown,
  socketpair,
} from "./sockets.ts";
export {
  readableStream,
  type ReadableStreamOptions,
  writableStream,
  type WritableStreamOptions,
} from "./streams.ts";
export {
  isatty,
  openpty,
  type Pty,
  tcgetwinsize,
  tcsetwinsize,
  ttyname,
  type WindowSize,
} from "./terminals.ts";
export {
  type ControlCharacter,
  makeRaw,
  tcgetattr,
  tcsetattr,
  type TcsetattrWhen,
  type Termios,
} from "./termios.ts";
