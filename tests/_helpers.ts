import { assertEquals } from "@std/assert";
import { cString } from "../ffi/_arguments.ts";
import { O_CLOEXEC, O_DIRECTORY } from "../ffi/constants.ts";
import { descriptorSymbols, waitSymbols } from "../ffi/_symbols.ts";
import { _exit } from "../process/_exit.ts";
import { poolThreads } from "../process/_fork/pool_threads.ts";
import { readDescriptorLink } from "../process/_fork/proc_file.ts";
import { fork } from "../process/fork.ts";
import { libc } from "./_libc.ts";

export { forkWithAsync } from "./_fork_with_async.ts";

/**
 * Forks a child that runs `body` and ends with its number; one that throws says so on stderr and ends with 99.
 *
 * Under `deno test` a child must never come back to the test runner, which is the parent's: this sees to it.
 */
export function forkWith(body: () => number | void): number {
  const pid = fork();
  if (pid !== 0) return pid;
  try {
    _exit(body() ?? 0);
  } catch (error) {
    console.error(error);
  }
  _exit(99);
}

/** Waits for the child and gives its raw status word. */
export function reap(pid: number): number {
  const status = new Int32Array(1);
  assertEquals(waitSymbols().waitpid(pid, status, 0), pid);
  return status[0]!;
}

/** Runs a test, then checks that it has left no open descriptor and no child behind. */
export function withoutLeaks(
  body: () => void | Promise<void>,
): () => Promise<void> {
  return async () => {
    const before = openDescriptors();
    await body();
    await poolThreads.settled();
    assertOpenDescriptors(before);
    assertEquals(children(), "", "children");
  };
}

/** Fails unless just these descriptors are open, and says what the others are. */
export function assertOpenDescriptors(expected: readonly number[]): void {
  const open = openDescriptors();
  const others = open.filter((fd) => !expected.includes(fd))
    .map((fd) => `${fd}: ${readDescriptorLink(fd)}`);
  assertEquals(open, expected, `open descriptors, ${others} among them`);
}

/** The numbers of the descriptors that are open, in order. */
export function openDescriptors(): number[] {
  return directoryEntries("/proc/self/fd").filter((name) => /^\d+$/.test(name))
    .map(Number).sort((a, b) => a - b);
}

/**
 * Has Deno open its descriptors for signals, which it does when it is first asked for a listener, or else half a second after the
 * start of the program: before any are counted.
 */
export function openSignalDescriptors(): void {
  const listener = () => {};
  Deno.addSignalListener("SIGUSR2", listener);
  Deno.removeSignalListener("SIGUSR2", listener);
}

/** The pids of the process's children, zombies included, as the kernel lists them. */
export function children(): string {
  return directoryEntries("/proc/self/task").filter((name) =>
    /^\d+$/.test(name)
  )
    .map((tid) => readText(`/proc/self/task/${tid}/children`)).join("").trim();
}

/** The names in a directory, without the descriptor that reading it took. */
export function directoryEntries(path: string): string[] {
  const fd = descriptorSymbols().open(
    cString(path, "path"),
    O_CLOEXEC | O_DIRECTORY,
    0,
  );
  if (fd === -1) throw new Error(`Cannot open ${path}`);
  const buffer = new Uint8Array(32_768);
  const view = new DataView(buffer.buffer);
  const names: string[] = [];
  for (let count; (count = libc.getdents64(fd, buffer, 32_768n)) > 0;) {
    for (let at = 0; at < count; at += view.getUint16(at + 16, true)) {
      const start = at + 19;
      const name = new TextDecoder().decode(
        buffer.subarray(start, buffer.indexOf(0, start)),
      );
      if (name !== String(fd)) names.push(name);
    }
  }
  descriptorSymbols().close(fd);
  return names;
}

/** The text of a file; empty if it cannot be opened. */
export function readText(path: string): string {
  const fd = descriptorSymbols().open(cString(path, "path"), 0o2000000, 0);
  if (fd === -1) return "";
  const decoder = new TextDecoder();
  const buffer = new Uint8Array(65_536);
  let text = "";
  for (let n; (n = descriptorSymbols().read(fd, buffer, 65_536n)) > 0;) {
    text += decoder.decode(buffer.subarray(0, n), { stream: true });
  }
  descriptorSymbols().close(fd);
  return text + decoder.decode();
}

/** How often a thread has gone to sleep, by its directory in /proc; 0 where it has ended. */
export function sleepsOf(task: string): number {
  const count = /^voluntary_ctxt_switches:\s*(\d+)/m
    .exec(readText(`/proc/${task}/status`))?.[1];
  return Number(count ?? 0);
}

/** Runs a test with a directory of its own, which is emptied and removed afterwards. */
export async function withDirectory(
  body: (path: string) => void | Promise<void>,
): Promise<void> {
  const template = cString("/tmp/posix-process-XXXXXX", "template");
  if (libc.mkdtemp(template) === 0n) throw new Error("mkdtemp failed");
  const path = new TextDecoder().decode(template.subarray(0, -1));
  try {
    await body(path);
  } finally {
    for (const name of directoryEntries(path)) {
      descriptorSymbols().unlink(cString(`${path}/${name}`, "path"));
    }
    libc.rmdir(cString(path, "path"));
  }
}

/** Polls a condition until it holds, yielding to the event loop in between; fails after the deadline. */
export async function until(
  condition: () => boolean,
  milliseconds = 5000,
): Promise<void> {
  const deadline = performance.now() + milliseconds;
  while (!condition()) {
    if (performance.now() > deadline) {
      throw new Error(`not within ${milliseconds} ms: ${condition}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}
