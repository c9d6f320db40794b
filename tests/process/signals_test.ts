import { signalName, SIGNALS, strsignal } from "../../process/signals.ts";
import { assert, assertEquals, assertThrows } from "@std/assert";

Deno.test("SIGNALS has the names and numbers of bash's kill -l", () => {
  const names = Object.keys(SIGNALS) as (keyof typeof SIGNALS)[];
  const aliases = { SIGIOT: "SIGABRT", SIGCLD: "SIGCHLD", SIGPOLL: "SIGIO" };
  const numbers = names.filter((name) => !(name in aliases))
    .map((name) => SIGNALS[name]);
  assertEquals(numbers.toSorted((a, b) => a - b), [
    ...Array.from({ length: 31 }, (_, index) => index + 1),
    ...Array.from({ length: 31 }, (_, index) => index + 34),
  ]);
  for (const [alias, name] of Object.entries(aliases)) {
    assertEquals(signalName(SIGNALS[alias as "SIGIOT"]), name);
  }
  assertEquals(
    [SIGNALS.SIGHUP, SIGNALS.SIGCHLD, SIGNALS.SIGSYS, SIGNALS.SIGRTMIN],
    [1, 17, 31, 34],
  );
  assertEquals(
    [SIGNALS["SIGRTMIN+15"], SIGNALS["SIGRTMAX-14"], SIGNALS.SIGRTMAX],
    [49, 50, 64],
  );
});

Deno.test("SIGNALS is frozen", () => {
  assert(Object.isFrozen(SIGNALS));
});

Deno.test("signalName() names every signal", () => {
  for (let number = 1; number <= 64; number++) {
    const name = signalName(number);
    if (number === 32 || number === 33) assertEquals(name, `SIG${number}`);
    else assertEquals(SIGNALS[name as keyof typeof SIGNALS], number);
  }
});

Deno.test("signalName() refuses what is no signal", () => {
  for (const signal of [0, -1, 65, 1.5, NaN, 2 ** 32 + 9]) {
    assertThrows(() => signalName(signal), RangeError, "'signal'");
  }
  assertThrows(() => signalName("9" as unknown as number), TypeError);
});

// Deno never calls setlocale(), so that glibc answers in English here, whatever LANG says.
const libc = Deno.dlopen("libc.so.6", {
  strsignal: { parameters: ["i32"], result: "usize" },
  strncpy: { parameters: ["buffer", "usize", "usize"], result: "usize" },
}).symbols;

function glibcText(signal: number): string {
  const text = new Uint8Array(64);
  libc.strncpy(text, libc.strsignal(signal), 63n);
  return new TextDecoder().decode(text.subarray(0, text.indexOf(0)));
}

Deno.test("strsignal() says what glibc says", () => {
  for (const signal of [-2_147_483_648, 2_147_483_647]) {
    assertEquals(strsignal(signal), glibcText(signal));
  }
  for (let signal = -2; signal <= 70; signal++) {
    assertEquals(strsignal(signal), glibcText(signal));
  }
});

Deno.test("strsignal() refuses what is no 32-bit integer", () => {
  for (const signal of [2 ** 31, 1.5, NaN]) {
    assertThrows(() => strsignal(signal), RangeError, "'signal'");
  }
});
