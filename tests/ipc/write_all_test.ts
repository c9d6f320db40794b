import { assertEquals } from "@std/assert";
import { close, open } from "../../ipc/descriptors.ts";
import { O_NONBLOCK, O_WRONLY } from "../../ipc/mod.ts";
import { pipe, pipe2 } from "../../ipc/pipes.ts";
import { read, readAll, writeAll } from "../../ipc/read_write.ts";
import { forkWith, readText, reap, withoutLeaks } from "../_helpers.ts";
import {
  assertRefused,
  assertSameBytes,
  besideChild,
  CLOSED_FD,
  encode,
  LARGEST_FD,
  untilAsleep,
} from "./_helpers.ts";

Deno.test(
  "writeAll() waits for the reader until everything is written",
  withoutLeaks(async () => {
    for (const flags of [0, O_NONBLOCK]) {
      const [reader, writer] = pipe2(flags);
      const text = "管道".repeat(200_000);
      const status = await besideChild(() => {
        close(reader);
        writeAll(writer, text);
      }, () => {
        close(writer);
        assertSameBytes(readAll(reader), encode(text));
      });
      assertEquals(status, 0);
      close(reader);
    }
  }),
);

Deno.test(
  "writeAll() sleeps while a non-blocking pipe is full",
  withoutLeaks(async () => {
    const [reader, writer] = pipe2(O_NONBLOCK);
    const content = new Uint8Array(100_000).fill(7);
    const status = await besideChild(
      () => writeAll(writer, content),
      async (pid) => {
        close(writer);
        await untilAsleep(pid, "poll");
        assertEquals(read(reader, 65_536).length, 65_536);
      },
    );
    assertEquals(status, 0);
    assertSameBytes(readAll(reader), content.subarray(65_536));
    close(reader);
  }),
);

Deno.test(
  "writeAll() writes the bytes of a view, shared or not",
  withoutLeaks(() => {
    const [reader, writer] = pipe();
    const shared = new Uint8Array(new SharedArrayBuffer(100));
    shared.set([1, 2, 3], 40);
    writeAll(writer, shared.subarray(40, 43));
    writeAll(writer, Uint8Array.of(0, 4, 5, 0).subarray(1, 3));
    assertEquals(read(reader, 100), Uint8Array.of(1, 2, 3, 4, 5));
    close(reader);
    close(writer);
  }),
);

Deno.test(
  "writeAll() writes more than one call can move",
  withoutLeaks(() => {
    // The kernel counts what a process has written, in a child of its own nothing else is.
    const written = () =>
      Number(/^wchar: (\d+)$/m.exec(readText("/proc/self/io"))![1]);
    const size = 2 ** 31 + 5;
    const status = reap(forkWith(() => {
      const fd = open("/dev/null", O_WRONLY);
      const before = written();
      writeAll(fd, new Uint8Array(size));
      assertEquals(written() - before, size);
    }));
    assertEquals(status, 0);
  }),
);

Deno.test(
  "writeAll() fails with EPIPE when the reader goes in the middle",
  withoutLeaks(async () => {
    for (const flags of [0, O_NONBLOCK]) {
      const [reader, writer] = pipe2(flags);
      const status = await besideChild(() => {
        close(reader);
        const call = () => writeAll(writer, new Uint8Array(1_000_000));
        assertRefused(call, "EPIPE", "write");
      }, async (pid) => {
        await untilAsleep(pid, flags ? "poll" : "write");
        close(reader);
      });
      assertEquals(status, 0);
      close(writer);
    }
  }),
);

Deno.test(
  "writeAll() reports what the kernel refuses, for nothing too",
  withoutLeaks(() => {
    for (const fd of [CLOSED_FD, LARGEST_FD]) {
      assertRefused(() => writeAll(fd, "x"), "EBADF", "write");
      assertRefused(() => writeAll(fd, ""), "EBADF", "write");
    }
    const full = open("/dev/full", O_WRONLY);
    assertRefused(() => writeAll(full, "x"), "ENOSPC", "write");
    close(full);
  }),
);
