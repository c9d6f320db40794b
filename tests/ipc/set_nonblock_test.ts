import { assertEquals } from "@std/assert";
import { close, open, setNonblock } from "../../ipc/descriptors.ts";
import {
  O_APPEND,
  O_CREAT,
  O_NONBLOCK,
  O_PATH,
  O_WRONLY,
} from "../../ipc/mod.ts";
import { pipe } from "../../ipc/pipes.ts";
import { read } from "../../ipc/read_write.ts";
import { withDirectory, withoutLeaks } from "../_helpers.ts";
import { assertRefused, CLOSED_FD, flagsOf, LARGEST_FD } from "./_helpers.ts";

Deno.test(
  "setNonblock() switches O_NONBLOCK on and off, however often",
  withoutLeaks(() => {
    const [reader, writer] = pipe();
    for (const on of [true, true, false, false, true]) {
      setNonblock(reader, on);
      assertEquals(flagsOf(reader) & O_NONBLOCK, on ? O_NONBLOCK : 0);
    }
    assertRefused(() => read(reader, 1), "EAGAIN", "read");
    assertEquals(flagsOf(writer) & O_NONBLOCK, 0);
    close(reader);
    close(writer);
  }),
);

Deno.test(
  "setNonblock() leaves the other flags as they are",
  withoutLeaks(() =>
    withDirectory((directory) => {
      const fd = open(`${directory}/file`, O_WRONLY | O_CREAT | O_APPEND);
      const before = flagsOf(fd);
      assertEquals(before & O_APPEND, O_APPEND);
      setNonblock(fd, true);
      assertEquals(flagsOf(fd), before | O_NONBLOCK);
      setNonblock(fd, false);
      assertEquals(flagsOf(fd), before);
      close(fd);
    })
  ),
);

Deno.test(
  "setNonblock() fails with EBADF for what is not open, or only a path",
  withoutLeaks(() => {
    for (const fd of [CLOSED_FD, LARGEST_FD]) {
      assertRefused(() => setNonblock(fd, true), "EBADF", "fcntl");
    }
    const path = open("/", O_PATH);
    assertRefused(() => setNonblock(path, true), "EBADF", "fcntl");
    close(path);
  }),
);
