import { assert, assertEquals } from "@std/assert";
import { withDirectory, withoutLeaks } from "../_helpers.ts";
import { assertMissing } from "./_file_state.ts";
import { runExample } from "./_run.ts";

Deno.test(
  "example fifo-fork carries both lines over one FIFO, and reaps the child",
  withoutLeaks(() =>
    withDirectory(async (directory) => {
      const path = `${directory}/fifo`;
      const { pid, raw, stdout, stderr } = await runExample("fifo-fork", [
        path,
      ]);
      assertEquals(stderr, "");
      assertEquals(raw, 0);

      const child = Number(stdout.match(/^parent reaped (\d+)/m)?.[1]);
      assert(child > 0 && child !== pid, stdout);
      assertEquals(
        stdout,
        `child heard: child, do you hear ${pid}?\n` +
          `parent reaped ${child}, status 0\n` +
          `parent heard: yes, parent, this is ${child}\n`,
      );
      assertMissing(path);
    })
  ),
);
