import { assertEquals } from "@std/assert";
import { readLimit, write } from "../../ipc/read_write.ts";
import { close, open } from "../../ipc/descriptors.ts";
import { O_CREAT, O_RDWR } from "../../ipc/mod.ts";
import { pipe } from "../../ipc/pipes.ts";
import { withDirectory, withoutLeaks } from "../_helpers.ts";
import { CLOSED_FD, sockets } from "./_helpers.ts";
import { libc } from "./_libc.ts";

Deno.test(
  "readLimit() is what remains of a regular file, as far as one call can move it",
  withoutLeaks(() =>
    withDirectory((directory) => {
      const fd = open(`${directory}/file`, O_RDWR | O_CREAT);
      assertEquals(readLimit(fd), 65_536);
      assertEquals(libc.ftruncate(fd, 1_000_000n), 0);
      assertEquals(readLimit(fd), 1_000_000);
      write(fd, new Uint8Array(1000));
      assertEquals(readLimit(fd), 999_000);
      assertEquals(libc.ftruncate(fd, 500n), 0);
      assertEquals(readLimit(fd), 65_536);
      assertEquals(libc.ftruncate(fd, 2n ** 40n), 0);
      assertEquals(readLimit(fd), 0x7fff_f000);
      close(fd);
    })
  ),
);

Deno.test(
  "readLimit() has room for what may come through a pipe or a socket",
  withoutLeaks(() => {
    for (
      const [[reader, writer], least] of [
        [pipe(), 65_536],
        [sockets(1), 1_048_576],
        [sockets(2), 1_048_576],
      ] as const
    ) {
      assertEquals(readLimit(reader), least);
      write(writer, new Uint8Array(10_000));
      assertEquals(readLimit(reader), least);
      close(reader);
      close(writer);
    }
  }),
);

Deno.test(
  "readLimit() leaves it to read() to refuse a descriptor",
  withoutLeaks(() => {
    assertEquals(readLimit(CLOSED_FD), 1_048_576);
  }),
);
