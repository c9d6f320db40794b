import { assert, assertEquals } from "@std/assert";
import {
  getrlimit,
  type Resource,
  type ResourceLimit,
  setrlimit,
} from "../../process/mod.ts";
import { readText, withoutLeaks } from "../_helpers.ts";
import { findProgram, run } from "../ffi/_programs.ts";
import { runCleanly } from "./_run.ts";

const bash = findProgram("bash");
const skipped = bash === null ? " (skipped: no bash on PATH)" : "";

Deno.test({
  name: `example limits prints every row of bash's ulimit -a${skipped}`,
  ignore: bash === null,
  fn: withoutLeaks(assertSameFigures),
});

Deno.test({
  name:
    `example limits prints finite figures that are no whole units as bash does${skipped}`,
  ignore: bash === null,
  fn: withoutLeaks(() =>
    withSoftLimits({
      RLIMIT_CORE: 1_234_567,
      RLIMIT_CPU: 7654,
      RLIMIT_DATA: 123_456_789_012,
      RLIMIT_FSIZE: 987_654_321,
      RLIMIT_LOCKS: 321,
      RLIMIT_MSGQUEUE: 12_345,
      RLIMIT_RSS: 123_456_789_123,
      RLIMIT_RTTIME: 7_654_321,
      RLIMIT_SIGPENDING: 4321,
    }, assertSameFigures)
  ),
});

Deno.test(
  "example limits prints the soft limits that the kernel knows",
  withoutLeaks(async () => {
    // Deno raises the limit of open files when it starts, this one as well as that of the example.
    const known = new Map(
      [...readText("/proc/self/limits").matchAll(/^(Max .*?) {2,}(\S+)/gm)]
        .map(([, name, soft]) => [name!, soft!]),
    );
    const { stdout } = await runCleanly("limits");
    const printed = figures(stdout);
    for (
      const [letter, name, unit] of [
        ["c", "Max core file size", 1024],
        ["n", "Max open files", 1],
        ["s", "Max stack size", 1024],
        ["u", "Max processes", 1],
        ["v", "Max address space", 1024],
      ] as const
    ) {
      const soft = known.get(name)!;
      assertEquals(
        printed.get(letter)?.figure,
        soft === "unlimited" ? soft : `${Math.floor(Number(soft) / unit)}`,
        name,
      );
    }
  }),
);

/** Checks that each of bash's rows is among the example's, in the same words. */
async function assertSameFigures(): Promise<void> {
  const expected = figures(run(bash!, "-c", "ulimit -a").stdout);
  assert(expected.size >= 15, `${expected.size} rows`);
  const { stdout } = await runCleanly("limits");
  const printed = figures(stdout);
  for (const [letter, row] of expected) assertEquals(printed.get(letter), row);
}

/** The rows of `ulimit -a`, by the letter of their option. */
function figures(
  text: string,
): Map<string, { name: string; unit: string; figure: string }> {
  return new Map(
    text.trimEnd().split("\n").map((line) => {
      const [, name, unit = "", letter, figure] =
        line.match(/^(.*?) +\((?:(.*), )?-(\w)\) (\S+)$/) ?? [];
      assert(letter !== undefined, line);
      return [letter, { name: name!, unit, figure: figure! }];
    }),
  );
}

/** Runs `body` with soft limits lowered, as far as the hard ones let them be as high as that. */
async function withSoftLimits(
  limits: Partial<Record<Resource, number>>,
  body: () => Promise<void>,
): Promise<void> {
  const before: [Resource, ResourceLimit][] = [];
  try {
    for (const [name, soft] of Object.entries(limits)) {
      const resource = name as Resource;
      const limit = getrlimit(resource);
      before.push([resource, limit]);
      setrlimit(resource, { ...limit, soft: Math.min(soft, limit.hard) });
    }
    await body();
  } finally {
    for (const [resource, limit] of before) setrlimit(resource, limit);
  }
}
