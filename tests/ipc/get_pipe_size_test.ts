import { assertEquals } from "@std/assert";
import { close, open } from "../../ipc/descriptors.ts";
import { getPipeSize, pipe2 } from "../../ipc/pipes.ts";
import { O_NONBLOCK, O_RDONLY } from "../../ipc/mod.ts";
import { write } from "../../ipc/read_write.ts";
import { withoutLeaks } from "../_helpers.ts";
import { assertRefused, CLOSED_FD } from "./_helpers.ts";

Deno.test(
  "getPipeSize() is 65,536 bytes by default, and that is what goes in",
  withoutLeaks(() => {
    const [reader, writer] = pipe2(O_NONBLOCK);
    assertEquals(getPipeSize(reader), 65_536);
    assertEquals(getPipeSize(writer), 65_536);
    for (let held = 0; held < 65_536; held += 4096) {
      assertEquals(write(writer, new Uint8Array(4096)), 4096);
    }
    assertRefused(() => write(writer, "x"), "EAGAIN", "write");
    close(reader);
    close(writer);
  }),
);

Deno.test(
  "getPipeSize() fails with EBADF for what is no open pipe",
  withoutLeaks(() => {
    const file = open("/dev/null", O_RDONLY);
    for (const fd of [file, CLOSED_FD]) {
      assertRefused(() => getPipeSize(fd), "EBADF", "fcntl");
    }
    close(file);
  }),
);
