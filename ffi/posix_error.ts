import { errnoName, strerror } from "./errno.ts";

/** What a {@linkcode PosixError} is made of. */
export interface PosixErrorInit {
  /** The error number. */
  errno: number;
  /** The system or library call that failed, such as `"mkfifo"`. */
  syscall: string;
  /** The path that the call was about, if it was about one. */
  path?: string;
  /** What the system cannot know: the reason in words, put after its own description. */
  detail?: string;
  /** The error that led to this one. */
  cause?: unknown;
}

/**
 * Something that the system refused: the only error that a call with valid arguments throws.
 *
 * Its message says what was being done, then what failed and why:
 * `Cannot create FIFO "/tmp/x": mkfifo failed with EEXIST (File exists)`.
 *
 * @example Asking for the reason
 * ```ts
 * import { PosixError } from "@posix/process";
 * import { assertEquals } from "@std/assert";
 *
 * const error = new PosixError(`Cannot create FIFO "/tmp/x"`, {
 *   errno: 17,
 *   syscall: "mkfifo",
 *   path: "/tmp/x",
 * });
 * assertEquals(error.code, "EEXIST");
 * assertEquals(
 *   error.message,
 *   `Cannot create FIFO "/tmp/x": mkfifo failed with EEXIST (File exists)`,
 * );
 * ```
 *
 * @see {@link https://man7.org/linux/man-pages/man3/errno.3.html | errno(3)}
 */
export class PosixError extends Error {
  /** The class's name, by which an error is told from others that were thrown by another copy of the library. */
  override readonly name = "PosixError";
  /** The name of the error number, such as `"ENOENT"`; `"UNKNOWN"` for a number that Linux does not define. */
  readonly code: string;
  /** The error number, such as 2. */
  readonly errno: number;
  /** The system or library call that failed, such as `"mkfifo"`. */
  readonly syscall: string;
  /** The path that the call was about; absent where it was about none. */
  declare readonly path?: string;

  /**
   * Makes the error from what was being done and the number that came back.
   *
   * @param action What was being done: `Cannot …`, without a period.
   * @param init The error number, the call, and what else is known.
   */
  constructor(action: string, init: PosixErrorInit) {
    const { errno, syscall, path, detail, cause } = init;
    const code = errnoName(errno);
    const reason = detail === undefined ? "" : `: ${detail}`;
    super(
      `${action}: ${syscall} failed with ${code} (${strerror(errno)})${reason}`,
      cause === undefined ? undefined : { cause },
    );
    this.code = code;
    this.errno = errno;
    this.syscall = syscall;
    if (path !== undefined) this.path = path;
  }
}
