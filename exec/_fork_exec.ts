import { F_DUPFD_CLOEXEC } from "../ffi/constants.ts";
import { ERRNO } from "../ffi/errno.ts";
import { PosixError } from "../ffi/posix_error.ts";
import { checkValue, retryInterrupted } from "../ffi/_results.ts";
import { descriptorSymbols, exitSymbols } from "../ffi/_symbols.ts";
import { readErrno } from "../ffi/_errno.ts";
import { close } from "../ipc/close.ts";
import { pipe } from "../ipc/pipe.ts";
import { forkWithoutHooks } from "../process/fork.ts";
import { waitpid } from "../wait/waitpid.ts";
import { childSteps, type Step } from "./_child_steps.ts";
import type { Launch } from "./_launch.ts";

/** Said in place of a step's number: the next thing is the program itself. */
const READY = -1;

/**
 * Starts a program by way of a fork: the child, a copy of this process, takes the steps to the program one by one.
 *
 * What they are is put together before the fork; the child only makes the calls, since a limit that it is to have may leave
 * little room for anything else. It says which step has failed through a pipe that the program's start closes.
 */
export function forkExec(launch: Launch): number {
  const steps = childSteps(launch);
  const [reader, writer] = pipe();
  let report: Int32Array | undefined;
  let pid: number;
  try {
    const channel = outOfTheWay(writer, launch);
    try {
      pid = forkWithoutHooks();
      if (pid === 0) become(steps, channel);
    } finally {
      close(channel);
      close(writer);
    }
    report = readReport(reader);
  } finally {
    close(reader);
  }
  if (report?.[0] === READY) return pid;
  const end = waitpid(pid)!.status;
  const failed = report && steps[report[0]!];
  if (failed !== undefined) throw failed.failure(report![1]!);
  throw new PosixError(`Cannot start ${JSON.stringify(launch.file)}`, {
    errno: ERRNO.ECHILD,
    syscall: "fork",
    detail: `the child has ended on its way to the program: ${
      Deno.inspect(end)
    }`,
  });
}

/** A copy of the writing end under a number that no descriptor of the program gets. */
function outOfTheWay(writer: number, { fileActions }: Launch): number {
  const highest = Math.max(
    2,
    ...fileActions.map((action) => "to" in action ? action.to : 2),
  );
  return checkValue(
    descriptorSymbols().fcntl(writer, F_DUPFD_CLOEXEC, highest + 1),
    "fcntl",
    () => `Cannot duplicate descriptor ${writer}`,
  );
}

/** In the child: takes the steps, of which the last is not come back from. */
function become(steps: readonly Step[], channel: number): never {
  const { write } = descriptorSymbols();
  const report = new Int32Array(2);
  const size = BigInt(report.byteLength);
  const last = steps.length - 1;
  for (let i = 0; i <= last; i++) {
    if (i === last) {
      report[0] = READY;
      write(channel, report, size);
    }
    if (steps[i]!.take() !== -1) continue;
    report[1] = readErrno();
    report[0] = i;
    write(channel, report, size);
    break;
  }
  for (;;) exitSymbols()._exit(127);
}

/** In the parent: the last report, after which the program runs or the child has ended. */
function readReport(reader: number): Int32Array | undefined {
  const buffer = new Int32Array(2);
  let report: Int32Array | undefined;
  for (;;) {
    const count = retryInterrupted(
      () => descriptorSymbols().read(reader, buffer, BigInt(buffer.byteLength)),
      "read",
      () => "Cannot learn whether the program has started",
    );
    if (count === 0) return report;
    report = buffer.slice();
  }
}
