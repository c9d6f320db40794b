/**
 * The constants of C's headers for catching signals, for what is told about them, and for timers.
 *
 * `tests/ffi/constants_test.ts` compares them with what the C compiler says.
 */

import { ARCHITECTURE } from "./_platform.ts";

const aarch64 = ARCHITECTURE === "aarch64";

// sigaction(2)

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

/** The number of the system call. */
export const SYS_rt_tgsigqueueinfo: number = aarch64 ? 240 : 297;

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
