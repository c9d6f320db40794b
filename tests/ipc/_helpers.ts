import { assert, assertEquals, assertThrows } from "@std/assert";
import { cString } from "../../ffi/_arguments.ts";
import {
  descriptorSymbols,
  processSymbols,
  signalSymbols,
  waitSymbols,
} from "../../ffi/_symbols.ts";
import {
  AT_EMPTY_PATH,
  AT_FDCWD,
  RLIMIT_NOFILE,
  WNOHANG,
} from "../../ffi/constants.ts";
import { type ErrnoName, PosixError } from "../../ffi/errors.ts";
import { RLIMIT, SIGACTION, STATX } from "../../ffi/layouts.ts";
import {
  directoryEntries,
  forkWith,
  openDescriptors,
  readText,
  reap,
  until,
} from "../_helpers.ts";
import { addressOfFunction, libc } from "./_libc.ts";

export const SIGUSR1 = 10;

/** A user without privileges. */
const NOBODY = 65_534;

const aarch64 = Deno.build.arch === "aarch64";

/** The numbers of the system calls that the tests find a child asleep in. */
const SYSTEM_CALLS = {
  read: aarch64 ? 63 : 0,
  write: aarch64 ? 64 : 1,
  openat: aarch64 ? 56 : 257,
  poll: aarch64 ? 73 : 7, // the former has ppoll alone
} as const;

/** A descriptor that is not open. */
export const CLOSED_FD = 1_000_000;

/** The largest descriptor that an `int` can hold; no process ever has it. */
export const LARGEST_FD = 2 ** 31 - 1;

export const encode = (text: string) => new TextEncoder().encode(text);
export const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

/** Bytes that tell their place: no two neighbours alike, no period of a power of two. */
export function pattern(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, index) => index % 251);
}

/** Asserts equality of long arrays; a difference between such would take minutes to print. */
export function assertSameBytes(
  actual: Uint8Array,
  expected: Uint8Array,
): void {
  assertEquals(actual.length, expected.length, "length");
  const at = actual.findIndex((byte, index) => byte !== expected[index]);
  assertEquals(at, -1, "first difference");
}

/** Asserts that the system refuses the call, with this error. */
export function assertRefused(
  call: () => unknown,
  code: ErrnoName,
  syscall: string,
  path?: string,
): PosixError {
  const error = assertThrows(call, PosixError);
  assertEquals(error.code, code);
  assertEquals(error.syscall, syscall);
  assertEquals(error.path, path);
  return error;
}

/** Forks a child, lets the parent do its part beside it, and gives the child's raw status; neither can outlast ten seconds. */
export async function besideChild(
  child: () => number | void,
  parent: (pid: number) => void | Promise<void>,
): Promise<number> {
  const pid = forkWith(child);
  const status = new Int32Array(1);
  const { waitpid } = waitSymbols();
  try {
    await parent(pid);
    await until(() => waitpid(pid, status, WNOHANG) === pid, 10_000);
  } catch (error) {
    signalSymbols().kill(pid, 9);
    waitpid(pid, status, 0);
    throw error;
  }
  return status[0]!;
}

/** Waits until a child sleeps in a system call, on the given descriptor if there is one. */
export function untilAsleep(
  pid: number,
  name: keyof typeof SYSTEM_CALLS,
  fd?: number,
): Promise<void> {
  return until(() => isAsleep(pid, name, fd));
}

function isAsleep(
  pid: number,
  name: keyof typeof SYSTEM_CALLS,
  fd?: number,
): boolean {
  const [state] = readText(`/proc/${pid}/stat`).split(") ")[1] ?? "";
  const [call, first] = readText(`/proc/${pid}/syscall`).split(" ");
  return state === "S" && call === String(SYSTEM_CALLS[name]) &&
    (fd === undefined || Number(first) === fd);
}

/** Interrupts a child that sleeps in a system call, several times, and sees it go back to sleep there. */
export async function interrupt(
  pid: number,
  name: keyof typeof SYSTEM_CALLS,
  fd?: number,
): Promise<void> {
  for (let round = 0; round < 3; round++) {
    await untilAsleep(pid, name, fd);
    const before = timesAsleep(pid);
    assertEquals(signalSymbols().kill(pid, SIGUSR1), 0);
    await until(() => timesAsleep(pid) > before && isAsleep(pid, name, fd));
  }
}

function timesAsleep(pid: number): number {
  const status = readText(`/proc/${pid}/status`);
  return Number(/^voluntary_ctxt_switches:\s*(\d+)/m.exec(status)?.[1]);
}

/** Lets a signal of this process do no more than interrupt: a handler that does nothing, and no SA_RESTART. */
export function letInterrupt(signal: number): void {
  const action = new DataView(new ArrayBuffer(SIGACTION.size));
  // Some function that takes no argument and is safe in a handler.
  const handler = addressOfFunction(0n, cString("getpid", "name"));
  assert(handler !== 0n);
  action.setBigUint64(SIGACTION.fields.sa_handler, handler, true);
  assertEquals(signalSymbols().sigaction(signal, action, null), 0);
}

/** Takes the privileges from this process if it has any. */
export function dropPrivileges(): void {
  if (libc.geteuid() !== 0) return;
  assertEquals(libc.setresuid(NOBODY, NOBODY, NOBODY), 0);
}

/** Runs the body in a child that may not change the directory; gives the child's raw status. */
export function withoutPermission(directory: string, body: () => void): number {
  const path = cString(directory, "directory");
  assertEquals(libc.chmod(path, 0o500), 0);
  try {
    return reap(forkWith(() => {
      dropPrivileges();
      body();
    }));
  } finally {
    assertEquals(libc.chmod(path, 0o700), 0);
  }
}

/** Leaves this process that many descriptors to open, and no more. */
export function leaveDescriptors(count: number): void {
  const open = new Set(openDescriptors());
  let limit = 0;
  for (let free = 0; free < count; limit++) if (!open.has(limit)) free++;
  while (open.has(limit)) limit++;
  const rlimit = new DataView(new ArrayBuffer(RLIMIT.size));
  rlimit.setBigUint64(RLIMIT.fields.rlim_cur, BigInt(limit), true);
  rlimit.setBigUint64(RLIMIT.fields.rlim_max, BigInt(limit), true);
  assertEquals(processSymbols().setrlimit(RLIMIT_NOFILE, rlimit), 0);
}

/** The lowest numbers that no descriptor has. */
export function lowestFree(count: number): number[] {
  const open = new Set(openDescriptors());
  const free: number[] = [];
  for (let fd = 0; free.length < count; fd++) if (!open.has(fd)) free.push(fd);
  return free;
}

/** The flags of a descriptor, `O_CLOEXEC` included, as the kernel tells them. */
export function flagsOf(fd: number): number {
  const [, flags] = /^flags:\s*([0-7]+)/m.exec(
    readText(`/proc/self/fdinfo/${fd}`),
  )!;
  return parseInt(flags!, 8);
}

/** What `statx` says of a path or a descriptor: mode and size. */
export function stat(file: string | number): { mode: number; size: bigint } {
  const buffer = new DataView(new ArrayBuffer(STATX.size));
  const [fd, path, flags] = typeof file === "string"
    ? [AT_FDCWD, file, 0]
    : [file, "", AT_EMPTY_PATH];
  const result = descriptorSymbols()
    .statx(fd, cString(path, "path"), flags, 0x7ff, buffer);
  assertEquals(result, 0, `statx ${file}`);
  return {
    mode: buffer.getUint16(STATX.fields.stx_mode, true),
    size: buffer.getBigUint64(STATX.fields.stx_size, true),
  };
}

/** The names of the files in a directory. */
export function namesIn(directory: string): string[] {
  return directoryEntries(directory).filter((name) => !/^\.{1,2}$/.test(name));
}

/** A pair of connected local sockets: stream (1), datagram (2) or packet (5). */
export function sockets(type: number): [number, number] {
  const fds = new Int32Array(2);
  assertEquals(libc.socketpair(1, type, 0, fds), 0);
  return [fds[0]!, fds[1]!];
}
