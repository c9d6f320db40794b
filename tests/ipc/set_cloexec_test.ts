import { assertEquals } from "@std/assert";
import { close, dup, setCloexec } from "../../ipc/descriptors.ts";
import { O_CLOEXEC } from "../../ipc/mod.ts";
import { pipe } from "../../ipc/pipes.ts";
import { withoutLeaks } from "../_helpers.ts";
import { assertRefused, CLOSED_FD, flagsOf, LARGEST_FD } from "./_helpers.ts";

Deno.test(
  "setCloexec() switches close-on-exec of this descriptor alone",
  withoutLeaks(() => {
    const [reader, writer] = pipe();
    const second = dup(reader);
    for (const on of [false, false, true, true, false]) {
      setCloexec(reader, on);
      assertEquals(flagsOf(reader) & O_CLOEXEC, on ? O_CLOEXEC : 0);
      assertEquals(flagsOf(second) & O_CLOEXEC, O_CLOEXEC);
    }
    for (const fd of [reader, writer, second]) close(fd);
  }),
);

Deno.test(
  "setCloexec() fails with EBADF for what is not open",
  withoutLeaks(() => {
    for (const fd of [CLOSED_FD, LARGEST_FD]) {
      const error = assertRefused(() => setCloexec(fd, true), "EBADF", "fcntl");
      assertEquals(
        error.message,
        `Cannot change flags of descriptor ${fd}: fcntl failed with EBADF (Bad file descriptor)`,
      );
    }
  }),
);
