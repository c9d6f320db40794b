import { assertEquals } from "@std/assert";
import { close, open } from "../../ipc/descriptors.ts";
import { O_RDONLY } from "../../ipc/mod.ts";
import { pipe } from "../../ipc/pipes.ts";
import { read } from "../../ipc/read_write.ts";
import { forkWith, openDescriptors, reap, withoutLeaks } from "../_helpers.ts";
import { assertRefused, CLOSED_FD, LARGEST_FD } from "./_helpers.ts";

Deno.test(
  "close() closes that descriptor and no other",
  withoutLeaks(() => {
    const [reader, writer] = pipe();
    close(writer);
    assertEquals(openDescriptors().includes(writer), false);
    assertEquals(openDescriptors().includes(reader), true);
    assertEquals(read(reader, 1).length, 0);
    close(reader);
  }),
);

Deno.test(
  "close() fails with EBADF for what is not open",
  withoutLeaks(() => {
    for (const fd of [CLOSED_FD, LARGEST_FD]) {
      assertRefused(() => close(fd), "EBADF", "close");
    }
  }),
);

Deno.test(
  "close() twice is an error, and its number is the next to be given out",
  withoutLeaks(() => {
    const status = reap(forkWith(() => {
      const [reader] = pipe();
      close(reader);
      const error = assertRefused(() => close(reader), "EBADF", "close");
      assertEquals(
        error.message,
        `Cannot close descriptor ${reader}: close failed with EBADF (Bad file descriptor)`,
      );
      assertEquals(open("/dev/null", O_RDONLY), reader);
    }));
    assertEquals(status, 0);
  }),
);
