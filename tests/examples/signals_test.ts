import { assertEquals, assertMatch } from "@std/assert";
import { withoutLeaks } from "../_helpers.ts";
import { findProgram, run } from "../ffi/_programs.ts";
import { runCleanly } from "./_run.ts";

Deno.test(
  "example signals lists 1 to 31 and 34 to 64, each with a description",
  withoutLeaks(async () => {
    const { stdout } = await runCleanly("signals");
    const lines = stdout.trimEnd().split("\n");
    for (const line of lines) assertMatch(line, /^[ \d]\d\) SIG\S+ +[A-Z]\S+/);
    assertEquals(
      lines.map((line) => parseInt(line)),
      Array.from({ length: 64 }, (_, index) => index + 1)
        .filter((number) => number !== 32 && number !== 33),
    );
    assertEquals(lines[8], " 9) SIGKILL      Killed");
  }),
);

const bash = findProgram("bash");

Deno.test({
  name: `example signals prints the numbers and names of bash's kill -l${
    bash === null ? " (skipped: no bash on PATH)" : ""
  }`,
  ignore: bash === null,
  fn: withoutLeaks(async () => {
    const { stdout } = await runCleanly("signals");
    assertEquals(table(stdout), table(run(bash!, "-c", "kill -l").stdout));
  }),
});

/** The numbers and names in a listing, in order. */
function table(listing: string): string[] {
  return [...listing.matchAll(/\d+\) SIG\S+/g)].map(([entry]) => entry);
}
