/**
 * The constants of C's headers for sockets, eventfds, locks on files, and copying between descriptors.
 *
 * `tests/ffi/constants_test.ts` compares them with what the C compiler says.
 */

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
