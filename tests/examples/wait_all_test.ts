import { assertEquals } from "@std/assert";
import { withoutLeaks } from "../_helpers.ts";
import { runCleanly } from "./_run.ts";

Deno.test(
  "example wait-all reaps its three children until ECHILD, and has no grandchildren",
  withoutLeaks(async () => {
    const { pid, stdout } = await runCleanly("wait-all");
    const [, ...children] = stdout
      .match(
        new RegExp(`^parent ${pid}: children (\\d+), (\\d+), (\\d+)$`, "m"),
      )!
      .map(Number);
    assertEquals(new Set([pid, ...children]).size, 4);

    // Every process that there was has said whose child it is, but for the one that may be killed before it could.
    const [first, second, killed] = children;
    const born = [...stdout.matchAll(/^child (\d+): PPID (\d+)$/gm)];
    for (const [line, child, parent] of born) {
      assertEquals(children.includes(Number(child)), true, line);
      assertEquals(Number(parent), pid, line);
    }

    const reaped = [
      ...stdout.matchAll(/^parent: reaped (\d+), status (\d+)$/gm),
    ]
      .map(([, child, status]) => [Number(child), Number(status)]);
    assertEquals(reaped.length, 3);
    assertEquals(
      reaped.map(([child]) => child).toSorted(),
      children.toSorted(),
    );
    assertEquals(
      Object.fromEntries(reaped),
      { [first!]: 0, [second!]: 0, [killed!]: 9 },
    );
    assertEquals(reaped[2], [killed, 9]);
    assertEquals(
      stdout.trimEnd().split("\n").at(-1),
      "parent: ECHILD, no child is left",
    );
  }),
);
