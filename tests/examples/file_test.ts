import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { close, O_CREAT, O_WRONLY, open, writeAll } from "../../ipc/mod.ts";
import { readText, withDirectory, withoutLeaks } from "../_helpers.ts";
import { assertMissing } from "./_file_state.ts";
import { runExample } from "./_run.ts";

Deno.test(
  "example file carries both sentences, in order, and removes the file",
  withoutLeaks(() =>
    withDirectory(async (directory) => {
      const path = `${directory}/talk.txt`;
      const { pid, raw, stdout, stderr } = await runExample("file", [path]);
      assertEquals(stderr, "");
      assertEquals(raw, 0);

      const child = Number(stdout.match(/^Child (\d+)/m)?.[1]);
      assert(child > 0 && child !== pid, stdout);
      const question = `Parent ${pid}: is anybody there?\n`;
      const answer = `Child ${child}: yes, I have read you.\n`;
      assertEquals(
        stdout,
        `child has read:\n${question}\nparent has read:\n${question}${answer}\n`,
      );
      assertMissing(path);
    })
  ),
);

Deno.test(
  "example file leaves a file alone that was there before",
  withoutLeaks(() =>
    withDirectory(async (directory) => {
      const path = `${directory}/precious.txt`;
      const fd = open(path, O_WRONLY | O_CREAT);
      writeAll(fd, "precious");
      close(fd);
      const { status, stderr } = await runExample("file", [path]);
      assertEquals(status, { kind: "exited", code: 1 });
      assertStringIncludes(stderr, "EEXIST");
      assertEquals(readText(path), "precious");
    })
  ),
);
