import { assertEquals, assertThrows } from "@std/assert";
import { PosixError } from "../../ffi/errors.ts";
import { nice } from "../../process/attributes.ts";
import { setrlimit } from "../../process/limits.ts";
import { forkWith, readText, reap, withoutLeaks } from "../_helpers.ts";
import { libc } from "../_libc.ts";

const UNPRIVILEGED = 65_534;

/** The nice value as the kernel tells it: the last but two of the fields before the number of threads. */
function niceValue(): number {
  const stat = readText("/proc/self/stat");
  return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[16]);
}

function inChild(body: () => void): () => Promise<void> {
  return withoutLeaks(() => assertEquals(reap(forkWith(body)), 0));
}

Deno.test(
  "nice() adds to the nice value, up to 19, and gives it",
  inChild(() => {
    const before = nice(0);
    assertEquals(before, niceValue());
    assertEquals(nice(3), Math.min(before + 3, 19));
    assertEquals(niceValue(), Math.min(before + 3, 19));
    assertEquals(nice(2 ** 31 - 1), 19);
    assertEquals(niceValue(), 19);
  }),
);

const privileged = reap(forkWith(() => {
  try {
    nice(-1);
    return 0;
  } catch {
    return 1;
  }
})) === 0;

Deno.test({
  name: "nice() gives -1 as a value like any other, down to -20",
  ignore: !privileged,
  fn: inChild(() => {
    nice(-40);
    assertEquals(nice(19), -1);
    assertEquals(niceValue(), -1);
    assertEquals(nice(0), -1);
    assertEquals(nice(-(2 ** 31)), -20);
    assertEquals(niceValue(), -20);
  }),
});

Deno.test(
  "nice() throws EPERM where it takes a privilege, and -1 is not taken for that",
  inChild(() => {
    if (privileged) nice(-1 - nice(0));
    setrlimit("RLIMIT_NICE", { soft: 0, hard: 0 });
    libc.setresuid(UNPRIVILEGED, UNPRIVILEGED, UNPRIVILEGED);
    const before = nice(0);
    const error = assertThrows(
      () => nice(-2),
      PosixError,
      "Cannot add -2 to the nice value: nice failed with EPERM",
    );
    assertEquals([error.code, error.syscall], ["EPERM", "nice"]);
    assertEquals(nice(0), before);
    assertEquals(nice(1), before + 1);
  }),
);

Deno.test("nice() refuses what is no integer", () => {
  for (const increment of [0.5, NaN, Infinity, 2 ** 31]) {
    assertThrows(() => nice(increment), RangeError, "'increment'");
  }
  assertThrows(() => nice("1" as unknown as number), TypeError, "'increment'");
});
