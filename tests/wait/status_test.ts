import {
  decodeStatus,
  type WaitStatus,
  WCOREDUMP,
  WEXITSTATUS,
  WIFCONTINUED,
  WIFEXITED,
  WIFSIGNALED,
  WIFSTOPPED,
  WSTOPSIG,
  WTERMSIG,
} from "../../wait/mod.ts";
import { assertEquals, assertThrows } from "@std/assert";

/** The definitions of glibc's `<bits/waitstatus.h>`, to the letter. */
const MODEL = {
  WEXITSTATUS: (status: number) => (status & 0xff00) >> 8,
  WTERMSIG: (status: number) => status & 0x7f,
  WSTOPSIG: (status: number) => (status & 0xff00) >> 8,
  WIFEXITED: (status: number) => (status & 0x7f) === 0,
  WIFSIGNALED: (status: number) =>
    (((((status & 0x7f) + 1) << 24) >> 24) >> 1) > 0, // (signed char)
  WIFSTOPPED: (status: number) => (status & 0xff) === 0x7f,
  WIFCONTINUED: (status: number) => status === 0xffff,
  WCOREDUMP: (status: number) => (status & 0x80) !== 0,
};

const MACROS = {
  WEXITSTATUS,
  WTERMSIG,
  WSTOPSIG,
  WIFEXITED,
  WIFSIGNALED,
  WIFSTOPPED,
  WIFCONTINUED,
  WCOREDUMP,
};

for (const [name, macro] of Object.entries(MACROS)) {
  Deno.test(`${name}() gives what the macro of C gives, for every word of 16 bits and beyond`, () => {
    const model = MODEL[name as keyof typeof MODEL];
    const words = [-0x80000000, -1, 0x10000, 0x3057f, 0x1ffff, 0x7fffffff];
    for (let raw = 0; raw <= 0xffff; raw++) words.push(raw);
    const wrong = words.filter((raw) => macro(raw) !== model(raw));
    assertEquals(wrong, []);
  });

  Deno.test(`${name}() refuses what is no C int`, () => {
    assertThrows(() => macro("9" as never), TypeError, `'raw'`);
    assertThrows(() => macro(0.5), RangeError, "0.5");
    assertThrows(() => macro(2 ** 31), RangeError, "2147483648");
  });
}

const WORDS: [raw: number, status: WaitStatus][] = [
  [0x0000, { kind: "exited", code: 0 }],
  [0x0100, { kind: "exited", code: 1 }],
  [0xff00, { kind: "exited", code: 255 }],
  [0x0080, { kind: "exited", code: 0 }],
  [0x0001, { kind: "signaled", signal: "SIGHUP", coreDumped: false }],
  [0x0009, { kind: "signaled", signal: "SIGKILL", coreDumped: false }],
  [0x0006, { kind: "signaled", signal: "SIGABRT", coreDumped: false }],
  [0x0086, { kind: "signaled", signal: "SIGABRT", coreDumped: true }],
  [0x008b, { kind: "signaled", signal: "SIGSEGV", coreDumped: true }],
  [0x0020, { kind: "signaled", signal: "SIG32", coreDumped: false }],
  [0x0025, { kind: "signaled", signal: "SIGRTMIN+3", coreDumped: false }],
  [0x0040, { kind: "signaled", signal: "SIGRTMAX", coreDumped: false }],
  [0x007e, { kind: "signaled", signal: "SIG126", coreDumped: false }],
  [0x137f, { kind: "stopped", signal: "SIGSTOP" }],
  [0x147f, { kind: "stopped", signal: "SIGTSTP" }],
  [0x007f, { kind: "stopped", signal: "SIG0" }],
  [0xff7f, { kind: "stopped", signal: "SIG255" }],
  [0x3057f, { kind: "stopped", signal: "SIGTRAP" }],
  [0xffff, { kind: "continued" }],
  [0x00ff, { kind: "signaled", signal: "SIG127", coreDumped: true }],
  [0x1ffff, { kind: "signaled", signal: "SIG127", coreDumped: true }],
];

for (const [raw, status] of WORDS) {
  Deno.test(`decodeStatus() decodes 0x${raw.toString(16).padStart(4, "0")}`, () => {
    assertEquals(decodeStatus(raw), status);
  });
}

Deno.test("decodeStatus() decodes every word of 16 bits as the macros of C do", () => {
  for (let raw = 0; raw <= 0xffff; raw++) {
    const low = raw & 0xff;
    const high = raw >> 8;
    const status = decodeStatus(raw);
    if ((low & 0x7f) === 0) {
      if (status.kind === "exited" && status.code === high) continue;
    } else if (raw === 0xffff) {
      if (status.kind === "continued") continue;
    } else if (low === 0x7f) {
      if (status.kind === "stopped") continue;
    } else if (
      status.kind === "signaled" && status.coreDumped === low > 0x80
    ) {
      continue;
    }
    throw new Error(`0x${raw.toString(16)} is ${JSON.stringify(status)}`);
  }
});

Deno.test("decodeStatus() refuses what is no C int", () => {
  assertThrows(() => decodeStatus("0" as never), TypeError, `'raw'`);
  assertThrows(() => decodeStatus(NaN), RangeError, "NaN");
  assertThrows(() => decodeStatus(-(2 ** 31) - 1), RangeError, "'raw'");
});
