import { assertEquals, assertThrows } from "@std/assert";
import {
  SIGNAL_ALIASES,
  SIGNAL_NUMBERS,
  signalNameOf,
  signalNumber,
} from "../../ffi/_signals.ts";
import { withoutLeaks } from "../_helpers.ts";
import { realTimeSignals } from "./_c.ts";
import { evaluate, targets } from "./_compiler.ts";
import { findProgram, run } from "./_programs.ts";

const bash = findProgram("bash");

Deno.test({
  name: `SIGNAL_NUMBERS is the table of bash's kill -l${
    bash === null ? " (skipped: no bash on PATH)" : ""
  }`,
  ignore: bash === null,
  fn: withoutLeaks(() => {
    const { stdout, status } = run(bash!, "-c", "kill -l");
    assertEquals(status, 0);
    const table = stdout.matchAll(/(\d+)\) (\S+)/g);
    assertEquals(
      [...table].map(([, number, name]) => [name, Number(number)]),
      Object.entries(SIGNAL_NUMBERS),
    );
  }),
});

for (const { compiler, note } of targets) {
  Deno.test({
    name:
      `SIGNAL_NUMBERS and SIGNAL_ALIASES are those of C's headers on ${note}`,
    ignore: compiler === null,
    fn: withoutLeaks(async () => {
      const fixed = Object.entries({ ...SIGNAL_NUMBERS, ...SIGNAL_ALIASES })
        .filter(([name]) => !name.startsWith("SIGRT"));
      const names = fixed.map(([name]) => name);
      const numbers = await evaluate(compiler!, ["signal.h"], names);
      assertEquals(fixed, names.map((name, index) => [name, numbers[index]!]));
    }),
  });
}

Deno.test("SIGNAL_NUMBERS has libc's own bounds of the real-time signals", () => {
  assertEquals(
    [SIGNAL_NUMBERS.SIGRTMIN, SIGNAL_NUMBERS.SIGRTMAX],
    realTimeSignals(),
  );
});

Deno.test("SIGNAL_NUMBERS has 1 to 31 and 34 to 64, each once", () => {
  const expected = Array.from({ length: 64 }, (_, i) => i + 1)
    .filter((n) => n !== 32 && n !== 33);
  assertEquals(Object.values(SIGNAL_NUMBERS), expected);
});

Deno.test("SIGNAL_NUMBERS counts real-time signals from the nearer end, as bash does", () => {
  for (let n = 34; n <= 64; n++) {
    const offset = n < 50 ? n - 34 : n - 64;
    const base = n < 50 ? "SIGRTMIN" : "SIGRTMAX";
    const sign = offset > 0 ? "+" : "";
    assertEquals(signalNameOf(n), base + (offset === 0 ? "" : sign + offset));
  }
});

Deno.test("signalNameOf() names a number, never by an alias, and any number somehow", () => {
  assertEquals([1, 9, 15, 31].map(signalNameOf), [
    "SIGHUP",
    "SIGKILL",
    "SIGTERM",
    "SIGSYS",
  ]);
  assertEquals([6, 17, 29].map(signalNameOf), ["SIGABRT", "SIGCHLD", "SIGIO"]);
  assertEquals([0, 32, 33, 65, 127].map(signalNameOf), [
    "SIG0",
    "SIG32",
    "SIG33",
    "SIG65",
    "SIG127",
  ]);
});

Deno.test("signalNumber() takes names, aliases and numbers from 0 to 64", () => {
  for (
    const [name, number] of Object.entries({
      ...SIGNAL_NUMBERS,
      ...SIGNAL_ALIASES,
    })
  ) {
    assertEquals(signalNumber(name as keyof typeof SIGNAL_NUMBERS), number);
  }
  assertEquals([0, 9, 32, 64].map((n) => signalNumber(n)), [0, 9, 32, 64]);
});

Deno.test("signalNumber() refuses what is no signal, with the nearest name", () => {
  assertThrows(
    () => signalNumber("SIGKIL" as never),
    TypeError,
    `'signal' is unknown: current value is "SIGKIL", did you mean "SIGKILL"`,
  );
  assertThrows(
    () => signalNumber("sigterm" as never, "how"),
    TypeError,
    `did you mean "SIGTERM"`,
  );
  assertThrows(() => signalNumber("toString" as never), TypeError, "unknown");
  assertThrows(() => signalNumber(null as never), TypeError, "null");
  for (const number of [-1, 65, 1.5, NaN]) {
    assertThrows(() => signalNumber(number), RangeError, "from 0 to 64");
  }
});
