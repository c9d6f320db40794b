import { assert, assertEquals, assertThrows } from "@std/assert";
import { PosixError } from "../../ffi/errors.ts";
import { RUSAGE } from "../../ffi/layouts.ts";
import { processSymbols } from "../../ffi/_symbols.ts";
import { decodeRusage } from "../../wait/wait.ts";
import { wait4, WNOHANG, WUNTRACED } from "../../wait/mod.ts";
import { forkWith, readText, withoutLeaks } from "../_helpers.ts";
import { Gate, send } from "./_children.ts";

const { clock } = Deno.dlopen("libc.so.6", {
  // clock_t clock(void); the CPU time of the process in microseconds
  clock: { parameters: [], result: "i64" },
}).symbols;

/** Forks a child that spends so much CPU time of its own. */
function forkBusy(microseconds: bigint, code: number): number {
  return forkWith(() => {
    for (let sum = 0; clock() < microseconds; sum++);
    return code;
  });
}

Deno.test(
  "wait4() gives the figures of the given child of two",
  withoutLeaks(() => {
    const busy = forkBusy(80_000n, 1);
    const idle = forkWith(() => 2);
    const quiet = wait4(idle)!;
    const loud = wait4(busy)!;
    assertEquals([quiet.pid, quiet.raw], [idle, 0x0200]);
    assertEquals([loud.pid, loud.raw], [busy, 0x0100]);
    assertEquals(loud.status, { kind: "exited", code: 1 });
    const seconds = loud.rusage.utime + loud.rusage.stime;
    assert(seconds >= 0.08 && seconds < 1, `${seconds} s`);
    assert(quiet.rusage.utime + quiet.rusage.stime < seconds);
  }),
);

Deno.test(
  "wait4() gives the largest resident size in KiB",
  withoutLeaks(() => {
    const pid = forkWith(() => {
      const memory = new Uint8Array(48 << 20).fill(1);
      send(processSymbols().getpid(), "SIGSTOP");
      return memory[12345]! - 1;
    });
    assertEquals(wait4(pid, WUNTRACED)?.raw, 0x137f);
    // The kernel's own figure.
    const status = readText(`/proc/${pid}/status`);
    const expected = Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1]);
    send(pid, "SIGCONT");
    const { raw, rusage } = wait4(pid)!;
    assertEquals(raw, 0);
    assert(expected > 48 * 1024, `${expected} KiB`);
    const ratio = rusage.maxrss / expected;
    assert(ratio > 0.95 && ratio < 1.2, `${rusage.maxrss} of ${expected}`);
    assert(rusage.minflt >= (48 << 20) / 2 ** 21, `${rusage.minflt} faults`);
  }),
);

Deno.test(
  "wait4() returns null with WNOHANG while the child runs, and throws ECHILD after it is reaped",
  withoutLeaks(() => {
    const gate = new Gate();
    const pid = gate.fork(0);
    assertEquals(wait4(pid, WNOHANG), null);
    gate.open();
    assertEquals(wait4(pid)?.raw, 0);
    const error = assertThrows(() => wait4(pid, WNOHANG), PosixError);
    assertEquals([error.code, error.syscall], ["ECHILD", "wait4"]);
    assertEquals(
      error.message,
      `Cannot wait for child ${pid}: wait4 failed with ECHILD (No child processes)`,
    );
  }),
);

Deno.test("wait4() refuses arguments that are no C int", () => {
  assertThrows(() => wait4(undefined as never), TypeError, `'pid'`);
  assertThrows(() => wait4(2 ** 31), RangeError, `'pid'`);
  assertThrows(() => wait4(1, -(2 ** 40)), RangeError, `'options'`);
});

Deno.test("Rusage has every field of struct rusage, times in seconds", () => {
  const view = new DataView(new ArrayBuffer(RUSAGE.size));
  const put = (offset: number, value: bigint) =>
    view.setBigInt64(offset, value, true);
  put(RUSAGE.fields.ru_utime, 3n);
  put(RUSAGE.fields.ru_utime + 8, 250_000n);
  put(RUSAGE.fields.ru_stime, 0n);
  put(RUSAGE.fields.ru_stime + 8, 1n);
  const counts = Object.entries(RUSAGE.fields).filter(([name]) =>
    !name.endsWith("time")
  );
  counts.forEach(([, offset], index) => put(offset, 2n ** 40n + BigInt(index)));
  assertEquals(
    { ...decodeRusage(new Uint32Array(view.buffer)) },
    Object.fromEntries([
      ["utime", 3.25],
      ["stime", 0.000001],
      ...counts.map(([name], index) => [name.slice(3), 2 ** 40 + index]),
    ]),
  );
});
