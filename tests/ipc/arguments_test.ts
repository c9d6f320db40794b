import { assertEquals, assertThrows } from "@std/assert";
import * as ipc from "../../ipc/mod.ts";
import {
  assertOpenDescriptors,
  openDescriptors,
  withoutLeaks,
} from "../_helpers.ts";

/** What is no descriptor, what is no other kind of integer, and which error each deserves. */
const BAD_NUMBERS = [
  [-1, RangeError],
  [2 ** 31, RangeError],
  [-(2 ** 32), RangeError],
  [2 ** 53, RangeError],
  [1.5, RangeError],
  [NaN, RangeError],
  [Infinity, RangeError],
  ["3", TypeError],
  ["", TypeError],
  [3n, TypeError],
  [true, TypeError],
  [null, TypeError],
  [undefined, TypeError],
  [{}, TypeError],
  [[3], TypeError],
] as const;

const BAD_PATHS = ["a\0b", "\0", "\ud800", 3, null, undefined, {}, ["/tmp"]];

const BAD_DATA = [
  3,
  null,
  undefined,
  [1, 2],
  new ArrayBuffer(1),
  new DataView(new ArrayBuffer(1)),
  new Uint16Array(1),
  { length: 1 },
];

const BAD_SWITCHES = [0, 1, "true", null, undefined, {}];

// deno-lint-ignore no-explicit-any -- the point is to pass what the types forbid
const untyped = ipc as any;

const DEV_NULL = "/dev/null";

/** Every parameter: the function, the parameter's name, and a call with a value in its place. */
const NUMBERS: readonly [string, string, (value: unknown) => unknown][] = [
  ["open", "flags", (value) => untyped.open(DEV_NULL, value)],
  ["close", "fd", (value) => untyped.close(value)],
  ["read", "fd", (value) => untyped.read(value, 1)],
  ["write", "fd", (value) => untyped.write(value, "x")],
  ["readAll", "fd", (value) => untyped.readAll(value)],
  ["writeAll", "fd", (value) => untyped.writeAll(value, "x")],
  ["pipe2", "flags", (value) => untyped.pipe2(value)],
  ["dup", "fd", (value) => untyped.dup(value)],
  ["dup2", "oldFd", (value) => untyped.dup2(value, 1)],
  ["dup2", "newFd", (value) => untyped.dup2(1, value)],
  ["dup3", "oldFd", (value) => untyped.dup3(value, 1, 0)],
  ["dup3", "newFd", (value) => untyped.dup3(1, value, 0)],
  ["dup3", "flags", (value) => untyped.dup3(1, 1, value)],
  ["setNonblock", "fd", (value) => untyped.setNonblock(value, true)],
  ["setCloexec", "fd", (value) => untyped.setCloexec(value, true)],
  ["getPipeSize", "fd", (value) => untyped.getPipeSize(value)],
  ["setPipeSize", "fd", (value) => untyped.setPipeSize(value, 4096)],
  ["setPipeSize", "bytes", (value) => untyped.setPipeSize(0, value)],
  ["isatty", "fd", (value) => untyped.isatty(value)],
  ["tcgetattr", "fd", (value) => untyped.tcgetattr(value)],
  ["tcsetattr", "fd", (value) => untyped.tcsetattr(value, "now", {})],
  ["tcgetwinsize", "fd", (value) => untyped.tcgetwinsize(value)],
  ["tcsetwinsize", "fd", (value) => untyped.tcsetwinsize(value, {})],
  ["poll", "fds[0].fd", (value) => untyped.poll([{ fd: value, events: 1 }], 0)],
  [
    "poll",
    "fds[1].events",
    (value) =>
      untyped.poll([{ fd: 0, events: 1 }, { fd: 0, events: value }], 0),
  ],
];

for (const [name, parameter, call] of NUMBERS) {
  Deno.test(
    `${name}() refuses what is no number for '${parameter}'`,
    withoutLeaks(() => {
      for (const [value, errorClass] of BAD_NUMBERS) {
        const error = assertThrows(() => call(value), errorClass);
        assertNames(error, parameter, value);
      }
    }),
  );
}

Deno.test(
  "read() refuses a count that is no size",
  withoutLeaks(() => {
    for (const [value, errorClass] of BAD_NUMBERS) {
      if (value === 2 ** 31) continue; // larger than any int, but a size
      const error = assertThrows(() => untyped.read(0, value), errorClass);
      assertNames(error, "count", value);
    }
  }),
);

for (const name of ["open", "mkfifo"] as const) {
  Deno.test(
    `${name}() refuses a mode of more than permission bits`,
    withoutLeaks(() => {
      const path = `/tmp/never-created-${crypto.randomUUID()}`;
      const call = (mode: unknown) =>
        name === "open"
          ? untyped.open(path, ipc.O_CREAT | ipc.O_WRONLY, mode)
          : untyped.mkfifo(path, mode);
      for (
        const [value, errorClass] of [...BAD_NUMBERS, [
          0o10000,
          RangeError,
        ]] as const
      ) {
        if (value === undefined) continue; // the default
        assertNames(assertThrows(() => call(value), errorClass), "mode", value);
      }
      const error = assertThrows(() => ipc.unlink(path));
      assertEquals((error as { code?: string }).code, "ENOENT");
    }),
  );
}

for (const name of ["open", "mkfifo", "unlink"] as const) {
  Deno.test(
    `${name}() refuses what is no path`,
    withoutLeaks(() => {
      for (const path of BAD_PATHS) {
        const error = assertThrows(() => untyped[name](path, 0), TypeError);
        assertNames(error, "path");
      }
    }),
  );
}

for (const name of ["write", "writeAll"] as const) {
  Deno.test(
    `${name}() refuses what is neither bytes nor text`,
    withoutLeaks(() => {
      const [reader, writer] = ipc.pipe2(ipc.O_NONBLOCK);
      for (const data of BAD_DATA) {
        const error = assertThrows(
          () => untyped[name](writer, data),
          TypeError,
        );
        assertNames(error, "data");
      }
      assertEquals(ipc.poll([{ fd: reader, events: ipc.POLLIN }], 0), []);
      ipc.close(reader);
      ipc.close(writer);
    }),
  );

  Deno.test(
    `${name}() refuses an array that has lost its bytes`,
    withoutLeaks(() => {
      const detached = new Uint8Array(8);
      structuredClone(detached, { transfer: [detached.buffer] });
      const resizable = new ArrayBuffer(8, { maxByteLength: 8 });
      const beyond = new Uint8Array(resizable, 4, 4);
      resizable.resize(2);
      for (const data of [detached, beyond]) {
        const error = assertThrows(() => ipc[name](1, data), TypeError);
        assertNames(error, "data");
      }
    }),
  );
}

for (const name of ["setNonblock", "setCloexec"] as const) {
  Deno.test(
    `${name}() refuses what is neither true nor false`,
    withoutLeaks(() => {
      for (const on of BAD_SWITCHES) {
        assertNames(assertThrows(() => untyped[name](0, on), TypeError), "on");
      }
    }),
  );
}

Deno.test(
  "poll() refuses what is no array of requests",
  withoutLeaks(() => {
    for (const fds of [undefined, null, 3, "fds", { length: 1 }]) {
      assertNames(assertThrows(() => untyped.poll(fds, 0), TypeError), "fds");
    }
    for (const request of [undefined, null, 3, "fd", {}]) {
      const error = assertThrows(() => untyped.poll([request], 0), TypeError);
      assertNames(error, "fds[0].fd");
    }
    // deno-lint-ignore no-sparse-arrays -- a hole is no request either
    const error = assertThrows(() => untyped.poll([,], 0), TypeError);
    assertNames(error, "fds[0].fd");
    const tooLarge = assertThrows(
      () => ipc.poll([{ fd: 0, events: 0x8000 }], 0),
      RangeError,
    );
    assertNames(tooLarge, "fds[0].events", 0x8000);
  }),
);

Deno.test(
  "poll() refuses a timeout that is no time",
  withoutLeaks(() => {
    for (const timeout of [-2, -0.5, -Infinity, NaN]) {
      const error = assertThrows(() => ipc.poll([], timeout), RangeError);
      assertNames(error, "timeoutMs", timeout);
    }
    for (const timeout of ["1", 1n, null, undefined, true, {}]) {
      const error = assertThrows(() => untyped.poll([], timeout), TypeError);
      assertNames(error, "timeoutMs");
    }
  }),
);

Deno.test(
  "dup2() with a bad argument leaves the descriptors as they are",
  withoutLeaks(() => {
    const [reader, writer] = ipc.pipe();
    const before = openDescriptors();
    assertThrows(() => untyped.dup2(writer, String(reader)), TypeError);
    assertThrows(() => ipc.dup2(reader, writer + 2 ** 32), RangeError);
    assertOpenDescriptors(before);
    ipc.write(writer, "x");
    assertEquals(ipc.read(reader, 1).length, 1);
    ipc.close(reader);
    ipc.close(writer);
  }),
);

/** Asserts that a message says which argument was wrong, and what it was. */
function assertNames(error: Error, parameter: string, value?: unknown): void {
  const { message } = error;
  assertEquals(message.startsWith(`'${parameter}'`), true, message);
  if (typeof value === "number") {
    assertEquals(message.endsWith(`current value is ${value}`), true, message);
  }
}
