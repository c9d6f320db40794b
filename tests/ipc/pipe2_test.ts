import { assertEquals } from "@std/assert";
import { close } from "../../ipc/descriptors.ts";
import { O_APPEND, O_CLOEXEC, O_DIRECT, O_NONBLOCK } from "../../ipc/mod.ts";
import { pipe2 } from "../../ipc/pipes.ts";
import { read, write } from "../../ipc/read_write.ts";
import { withoutLeaks } from "../_helpers.ts";
import { assertRefused, decode, flagsOf } from "./_helpers.ts";

Deno.test(
  "pipe2() sets the flags that are given, and no others",
  withoutLeaks(() => {
    for (const flags of [0, O_CLOEXEC, O_NONBLOCK, O_CLOEXEC | O_NONBLOCK]) {
      for (const fd of pipe2(flags)) {
        assertEquals(flagsOf(fd) & (O_CLOEXEC | O_NONBLOCK), flags);
        close(fd);
      }
    }
  }),
);

Deno.test(
  "pipe2() with O_DIRECT keeps packets apart",
  withoutLeaks(() => {
    const [reader, writer] = pipe2(O_DIRECT);
    write(writer, "one");
    write(writer, "two");
    assertEquals(decode(read(reader, 100_000)), "one");
    assertEquals(decode(read(reader, 100)), "two");
    close(reader);
    close(writer);
  }),
);

Deno.test(
  "pipe2() fails with EINVAL for an unknown flag",
  withoutLeaks(() => {
    for (const flags of [O_APPEND, 1, 2 ** 31 - 1]) {
      assertRefused(() => pipe2(flags), "EINVAL", "pipe2");
    }
  }),
);
