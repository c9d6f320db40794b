import { assertEquals } from "@std/assert";
import { close, open } from "../../ipc/descriptors.ts";
import { getPipeSize, pipe, pipe2, setPipeSize } from "../../ipc/pipes.ts";
import { O_NONBLOCK, O_RDONLY } from "../../ipc/mod.ts";
import { write } from "../../ipc/read_write.ts";
import { forkWith, readText, reap, withoutLeaks } from "../_helpers.ts";
import { assertRefused, CLOSED_FD, dropPrivileges } from "./_helpers.ts";

Deno.test(
  "setPipeSize() gives the real capacity, and that is what goes in",
  withoutLeaks(() => {
    const [reader, writer] = pipe2(O_NONBLOCK);
    for (const bytes of [131_072, 70_000, 65_536, 1_048_576]) {
      const capacity = setPipeSize(writer, bytes);
      assertEquals(capacity, 2 ** Math.ceil(Math.log2(bytes)));
      assertEquals(getPipeSize(reader), capacity);
    }
    assertEquals(write(writer, new Uint8Array(2_000_000)), 1_048_576);
    close(reader);
    close(writer);
  }),
);

Deno.test(
  "setPipeSize() gives a page at least",
  withoutLeaks(() => {
    const [reader, writer] = pipe();
    const page = setPipeSize(reader, 1);
    assertEquals(page >= 4096, true);
    assertEquals(setPipeSize(reader, 0), page);
    assertEquals(getPipeSize(writer), page);
    close(reader);
    close(writer);
  }),
);

Deno.test(
  "setPipeSize() fails with EBUSY below what the pipe holds",
  withoutLeaks(() => {
    const [reader, writer] = pipe();
    write(writer, new Uint8Array(50_000));
    assertRefused(() => setPipeSize(writer, 4096), "EBUSY", "fcntl");
    assertEquals(getPipeSize(writer), 65_536);
    close(reader);
    close(writer);
  }),
);

Deno.test(
  "setPipeSize() fails with EPERM beyond the limit, without privileges",
  withoutLeaks(() => {
    const limit = Number(readText("/proc/sys/fs/pipe-max-size"));
    const [reader, writer] = pipe();
    const status = reap(forkWith(() => {
      dropPrivileges();
      assertRefused(() => setPipeSize(writer, limit + 1), "EPERM", "fcntl");
    }));
    assertEquals(status, 0);
    close(reader);
    close(writer);
  }),
);

Deno.test(
  "setPipeSize() reports what the kernel refuses",
  withoutLeaks(() => {
    const file = open("/dev/null", O_RDONLY);
    for (const fd of [file, CLOSED_FD]) {
      const error = assertRefused(() => setPipeSize(fd, 1), "EBADF", "fcntl");
      assertEquals(
        error.message,
        `Cannot set pipe size of descriptor ${fd} to 1: fcntl failed with EBADF (Bad file descriptor)`,
      );
    }
    close(file);
  }),
);
