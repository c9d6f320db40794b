import { assertEquals } from "@std/assert";
import { readText, withDirectory, withoutLeaks } from "../_helpers.ts";
import { runCleanly } from "./_run.ts";

Deno.test(
  "example mmap-file leaves in the file what was written to memory, and in memory what was written to the file",
  withoutLeaks(() =>
    withDirectory(async (directory) => {
      const path = `${directory}/file`;
      const { stdout } = await runCleanly("mmap-file", [path]);
      assertEquals(
        stdout,
        "the file holds: hello, memory\n" +
          "the memory, now 26 bytes, holds: hello, file\n",
      );
      assertEquals(readText(path), "hello, memory\nhello, file\n");
    })
  ),
);
