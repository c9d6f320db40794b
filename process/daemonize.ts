import {
  checkFunction,
  checkInteger,
  checkObject,
  checkOptional,
  checkString,
  checkTimeout,
} from "../ffi/_arguments.ts";
import { close, open } from "../ipc/descriptors.ts";
import { O_DIRECTORY, O_PATH } from "../ffi/constants.ts";
import { type DaemonPlan, DaemonStart } from "./_daemon_start.ts";
import { _exit } from "./_exit.ts";
import { fork } from "./fork.ts";
import type { ForkOptions } from "./fork_options.ts";
import { planOf } from "./_planned_fork.ts";

/** Options for {@linkcode daemonize}. */
export interface DaemonOptions {
  /**
   * The daemon's working directory. With the default it keeps no file system from being unmounted.
   *
   * @default {"/"}
   */
  cwd?: string;
  /**
   * The permission bits that its new files shall not have.
   *
   * @default {0o022}
   */
  umask?: number;
  /**
   * A file to which what it prints, errors included, is appended; made with mode 0640 where there is none.
   *
   * @default {undefined} nothing is kept
   */
  log?: string;
  /**
   * A file for its pid. It is locked while the daemon lives, and so keeps a second one from starting; one that was left behind
   * by a daemon that was killed does not. It is removed when the daemon ends by `Deno.exit` or by having nothing left to do,
   * and stays where a signal ends it that it does not listen for.
   *
   * @default {undefined} none
   */
  pidFile?: string;
  /**
   * Whether it lets go of the descriptors that it has inherited, as with {@linkcode forkChild}: sockets that listen among
   * them, which `false` or an `except` list keeps.
   *
   * @default {true}
   */
  closeFds?: NonNullable<ForkOptions["closeFds"]>;
  /**
   * Called in the daemon when it has become one, to call `ready()` as soon as the daemon is up, then or later, or `fail(error)` if
   * that is not to be, which ends it with code 1. What it throws, and a promise of it that is rejected, count as `fail`;
   * an error that nobody catches before the daemon is ready is told as well.
   *
   * @default {undefined} it counts as up when {@linkcode daemonize} returns
   */
  onReady?: (
    ready: () => void,
    fail: (error: unknown) => void,
  ) => void | Promise<void>;
  /**
   * How long the starter waits for that, in milliseconds; then it kills the daemon, and what that has started. `Infinity` for ever.
   *
   * @default {30000}
   */
  timeout?: number;
}

/**
 * `daemon(3)`, with all that it leaves out: has the program go on as a daemon, in the background and on its own.
 *
 * What comes after the call runs in the daemon alone, which is a whole Deno like any child of {@linkcode fork}, and what that
 * says of such children holds. The process that has called it, the starter, never comes back: it waits until the daemon is
 * up, and exits with 0, or says on its standard error why the daemon is not, and exits with 1. So a shell script or a service manager
 * that started it knows. Its `unload` listeners do not run.
 *
 * The daemon is in a session of its own that it does not lead, so that it has no controlling terminal and never gets one (two
 * forks and `setsid`); its parent is process 1, or the nearest subreaper. Its working directory and its umask are set, its standard input
 * is `/dev/null`, its output the log or `/dev/null`; inherited descriptors are let go; signals that were ignored have their
 * default actions, but for SIGPIPE, and none is blocked.
 *
 * What is to be opened is opened before the first fork: what fails there is thrown in the starter, and nothing has happened.
 *
 * @param options What the daemon is to be.
 * @throws {PosixError} `EAGAIN` if the pid file is another's, who is alive (the message says who), or there are too many processes;
 * `ENOENT`, `EACCES` or `ENOTDIR` if the log, the pid file or the directory cannot be opened; what {@linkcode fork} throws.
 * @throws {TypeError} If an option has a wrong type, or a path a NUL in it.
 * @throws {RangeError} If `umask` is no integer from 0 to 0o777, or `timeout` is negative.
 *
 * @example A daemon that says when it is up, and one more that is refused
 * ```ts
 * import { daemonize, fork, kill } from "@posix/process/process";
 * import { close, open, O_RDONLY, readAll, unlink } from "@posix/process/ipc";
 * import { waitpid } from "@posix/process/wait";
 * import { assertEquals, assertThrows } from "@std/assert";
 *
 * const pidFile = "/tmp/posix-process-daemonize.pid";
 * const starter = fork();
 * if (starter === 0) {
 *   daemonize({ pidFile, onReady: (ready) => ready() });
 *   setInterval(() => {}, 1000); // from here on, this is the daemon
 *   await new Promise(() => {});
 * }
 * assertEquals(waitpid(starter)?.raw, 0); // it is up
 *
 * assertThrows(() => daemonize({ pidFile }), Error, "the daemon is running already");
 * const fd = open(pidFile, O_RDONLY);
 * kill(Number(new TextDecoder().decode(readAll(fd))), "SIGTERM");
 * close(fd);
 * unlink(pidFile);
 * ```
 *
 * @see {@link https://man7.org/linux/man-pages/man7/daemon.7.html | daemon(7)}
 */
export function daemonize(options: DaemonOptions = {}): void {
  const plan = daemonPlanOf(options);
  const { onReady } = options;
  const start = new DaemonStart(plan);
  let pid: number;
  try {
    pid = fork();
  } catch (error) {
    start.abandon();
    throw error;
  }
  if (pid !== 0) start.attend(pid);
  start.become();
  if (onReady === undefined) start.succeed();
  else report(start, onReady);
}

/** In the daemon: has it say that it is up, or why it is not, once. */
function report(
  start: DaemonStart,
  onReady: NonNullable<DaemonOptions["onReady"]>,
): void {
  let said = false;
  const once = (say: () => void) => {
    if (said) return;
    said = true;
    removeEventListener("error", onError);
    removeEventListener("unhandledrejection", onRejection);
    say();
  };
  // Deno is about to print it and to end. Where a listener keeps it from that, it must end all the same.
  const uncaught = (error: unknown) =>
    once(() => {
      start.explain(error);
      setTimeout(() => _exit(1));
    });
  const onError = (event: ErrorEvent) => {
    if (!event.defaultPrevented) uncaught(event.error);
  };
  const onRejection = (event: PromiseRejectionEvent) => {
    if (!event.defaultPrevented) uncaught(event.reason);
  };
  addEventListener("error", onError);
  addEventListener("unhandledrejection", onRejection);
  const ready = () => once(() => start.succeed());
  const fail = (error: unknown) => once(() => start.fail(error));
  try {
    Promise.resolve(onReady(ready, fail)).catch(fail);
  } catch (error) {
    fail(error);
  }
}

/** Checks the options, before anything has happened. */
function daemonPlanOf(options: DaemonOptions): DaemonPlan {
  checkObject(options, "options");
  const { cwd = "/", umask = 0o022, closeFds = true, timeout = 30_000 } =
    options;
  const { log, pidFile, onReady } = options;
  if (onReady !== undefined) checkFunction(onReady, "onReady");
  const plan = {
    cwd: checkString(cwd, "cwd"),
    umask: checkInteger(umask, "umask", 0, 0o777),
    log: checkOptional(log, (path) => checkString(path, "log")),
    pidFile: checkOptional(pidFile, (path) => checkString(path, "pidFile")),
    timeout: checkTimeout(timeout),
    child: planOf({ closeFds, resetSignals: true }),
  };
  close(open(cwd, O_PATH | O_DIRECTORY));
  return plan;
}
