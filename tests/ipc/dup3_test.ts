import { assertEquals } from "@std/assert";
import { close, dup3, open } from "../../ipc/descriptors.ts";
import { O_CLOEXEC, O_NONBLOCK, O_RDONLY } from "../../ipc/mod.ts";
import { pipe } from "../../ipc/pipes.ts";
import { read, write } from "../../ipc/read_write.ts";
import { withoutLeaks } from "../_helpers.ts";
import { assertRefused, CLOSED_FD, decode, flagsOf } from "./_helpers.ts";

Deno.test(
  "dup3() puts the open file under the new number, with exactly the flags given",
  withoutLeaks(() => {
    const [reader, writer] = pipe();
    const target = open("/dev/null", O_RDONLY);
    for (const flags of [0, O_CLOEXEC, 0]) {
      assertEquals(dup3(reader, target, flags), target);
      assertEquals(flagsOf(target) & O_CLOEXEC, flags);
      write(writer, "same pipe");
      assertEquals(decode(read(target, 100)), "same pipe");
    }
    for (const fd of [reader, writer, target]) close(fd);
  }),
);

Deno.test(
  "dup3() reports what the kernel refuses",
  withoutLeaks(() => {
    const [reader, writer] = pipe();
    assertRefused(() => dup3(reader, reader, 0), "EINVAL", "dup3");
    assertRefused(() => dup3(reader, writer, O_NONBLOCK), "EINVAL", "dup3");
    assertRefused(() => dup3(CLOSED_FD, writer, 0), "EBADF", "dup3");
    assertRefused(() => dup3(reader, 2 ** 31 - 1, 0), "EBADF", "dup3");
    write(writer, "still a pipe");
    assertEquals(decode(read(reader, 100)), "still a pipe");
    close(reader);
    close(writer);
  }),
);
