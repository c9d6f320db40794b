import { assertEquals } from "@std/assert";
import { close } from "../../ipc/descriptors.ts";
import {
  O_ACCMODE,
  O_CLOEXEC,
  O_NONBLOCK,
  O_RDONLY,
  O_WRONLY,
} from "../../ipc/mod.ts";
import { pipe } from "../../ipc/pipes.ts";
import { read, write } from "../../ipc/read_write.ts";
import { forkWith, openDescriptors, reap, withoutLeaks } from "../_helpers.ts";
import {
  assertRefused,
  decode,
  flagsOf,
  leaveDescriptors,
  lowestFree,
} from "./_helpers.ts";

Deno.test(
  "pipe() gives the two lowest free descriptors, the reading end first",
  withoutLeaks(() => {
    const status = reap(forkWith(() => {
      // A gap below the others, so that "lowest" is not "next".
      const gap = pipe();
      pipe();
      close(gap[0]);
      const expected = lowestFree(2);
      assertEquals(expected[0], gap[0]);
      const [reader, writer] = pipe();
      assertEquals([reader, writer], expected);
      assertEquals(flagsOf(reader) & O_ACCMODE, O_RDONLY);
      assertEquals(flagsOf(writer) & O_ACCMODE, O_WRONLY);
    }));
    assertEquals(status, 0);
  }),
);

Deno.test(
  "pipe() gives ends that block and are close-on-exec",
  withoutLeaks(() => {
    const ends = pipe();
    for (const fd of ends) {
      assertEquals(flagsOf(fd) & (O_CLOEXEC | O_NONBLOCK), O_CLOEXEC);
      close(fd);
    }
  }),
);

Deno.test(
  "pipe() carries data from a child to its parent",
  withoutLeaks(() => {
    const [reader, writer] = pipe();
    const pid = forkWith(() => {
      write(writer, "from the child");
    });
    close(writer);
    assertEquals(decode(read(reader, 100)), "from the child");
    assertEquals(read(reader, 100).length, 0);
    assertEquals(reap(pid), 0);
    close(reader);
  }),
);

Deno.test(
  "pipe() that fails with EMFILE takes no descriptor",
  withoutLeaks(() => {
    const status = reap(forkWith(() => {
      leaveDescriptors(3);
      pipe();
      const before = openDescriptors();
      const error = assertRefused(pipe, "EMFILE", "pipe2");
      assertEquals(
        error.message,
        "Cannot create pipe: pipe2 failed with EMFILE (Too many open files)",
      );
      assertEquals(openDescriptors(), before);
    }));
    assertEquals(status, 0);
  }),
);
