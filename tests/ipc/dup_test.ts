import { assertEquals } from "@std/assert";
import { close, dup, setNonblock } from "../../ipc/descriptors.ts";
import { O_CLOEXEC, O_NONBLOCK } from "../../ipc/mod.ts";
import { pipe, pipe2 } from "../../ipc/pipes.ts";
import { readAll, write } from "../../ipc/read_write.ts";
import { forkWith, reap, withoutLeaks } from "../_helpers.ts";
import {
  assertRefused,
  CLOSED_FD,
  decode,
  flagsOf,
  LARGEST_FD,
  leaveDescriptors,
  lowestFree,
} from "./_helpers.ts";

Deno.test(
  "dup() gives the lowest free descriptor for the same open file",
  withoutLeaks(() => {
    const status = reap(forkWith(() => {
      const [reader, writer] = pipe();
      const [lowest] = lowestFree(1);
      const second = dup(writer);
      assertEquals(second, lowest);
      close(writer);
      write(second, "by the second");
      close(second);
      assertEquals(decode(readAll(reader)), "by the second");
    }));
    assertEquals(status, 0);
  }),
);

Deno.test(
  "dup() gives a close-on-exec descriptor, whatever the first one is",
  withoutLeaks(() => {
    for (const flags of [0, O_CLOEXEC]) {
      const [reader, writer] = pipe2(flags);
      const second = dup(reader);
      assertEquals(flagsOf(second) & O_CLOEXEC, O_CLOEXEC);
      assertEquals(flagsOf(reader) & O_CLOEXEC, flags);
      for (const fd of [reader, writer, second]) close(fd);
    }
  }),
);

Deno.test(
  "dup() shares the status flags",
  withoutLeaks(() => {
    const [reader, writer] = pipe();
    const second = dup(reader);
    setNonblock(second, true);
    assertEquals(flagsOf(reader) & O_NONBLOCK, O_NONBLOCK);
    for (const fd of [reader, writer, second]) close(fd);
  }),
);

Deno.test(
  "dup() fails with EBADF for what is not open, with EMFILE when none is left",
  withoutLeaks(() => {
    for (const fd of [CLOSED_FD, LARGEST_FD]) {
      assertRefused(() => dup(fd), "EBADF", "fcntl");
    }
    const status = reap(forkWith(() => {
      const [reader] = pipe();
      leaveDescriptors(1);
      dup(reader);
      assertRefused(() => dup(reader), "EMFILE", "fcntl");
    }));
    assertEquals(status, 0);
  }),
);
