import { close, open } from "../../ipc/descriptors.ts";
import {
  O_CREAT,
  O_NONBLOCK,
  O_RDONLY,
  O_WRONLY,
  PIPE_BUF,
} from "../../ipc/mod.ts";
import { pipe, pipe2 } from "../../ipc/pipes.ts";
import { read, readAll, write, writeAll } from "../../ipc/read_write.ts";
import {
  forkWith,
  readText,
  reap,
  withDirectory,
  withoutLeaks,
} from "../_helpers.ts";
import {
  assertRefused,
  assertSameBytes,
  besideChild,
  CLOSED_FD,
  encode,
  interrupt,
  LARGEST_FD,
  letInterrupt,
  SIGUSR1,
  untilAsleep,
} from "./_helpers.ts";
import { assert, assertEquals } from "@std/assert";

Deno.test(
  "write() writes text as UTF-8 and counts bytes",
  withoutLeaks(() => {
    const [reader, writer] = pipe();
    for (const text of ["plain", "并发编程", "grün 🐧", "nul \0 inside"]) {
      assertEquals(write(writer, text), encode(text).length);
      assertEquals(read(reader, 100), encode(text));
    }
    assertEquals(write(writer, "\ud800"), 3);
    assertEquals(read(reader, 100), encode("\ufffd"));
    close(reader);
    close(writer);
  }),
);

Deno.test(
  "write() writes the bytes of a view, wherever they lie",
  withoutLeaks(() => {
    const [reader, writer] = pipe();
    const fill = (view: Uint8Array) => {
      view.forEach((_, index) => view[index] = index + 1);
      return view;
    };
    const small = fill(new Uint8Array(9)).subarray(2, 5);
    const large = fill(new Uint8Array(100_000)).subarray(258, 261);
    const shared = fill(new Uint8Array(new SharedArrayBuffer(100), 50, 3));
    const resizable = new ArrayBuffer(10, { maxByteLength: 100 });
    const tracking = fill(new Uint8Array(resizable, 7));
    const memory = new WebAssembly.Memory({ initial: 1 });
    const foreign = fill(new Uint8Array(memory.buffer, 4096, 3));
    for (const view of [small, large, shared, tracking, foreign]) {
      // Often enough for the optimised path of a call, which takes views by another route.
      for (let round = 0; round < 3000; round++) {
        assertEquals(write(writer, view), 3);
        const bytes = read(reader, 100);
        for (let index = 0; index < 3; index++) {
          if (bytes[index] !== view[index]) assertEquals(bytes, view);
        }
      }
    }
    close(reader);
    close(writer);
  }),
);

Deno.test(
  "write() of nothing writes nothing, and still needs a descriptor",
  withoutLeaks(() => {
    const [reader, writer] = pipe2(O_NONBLOCK);
    for (const nothing of ["", new Uint8Array(0)]) {
      assertEquals(write(writer, nothing), 0);
      assertRefused(() => write(CLOSED_FD, nothing), "EBADF", "write");
    }
    assertRefused(() => read(reader, 1), "EAGAIN", "read");
    close(reader);
    close(writer);
  }),
);

Deno.test(
  "write() gives what the kernel took: all that has room, then EAGAIN",
  withoutLeaks(() => {
    const [reader, writer] = pipe2(O_NONBLOCK);
    assertEquals(write(writer, new Uint8Array(100_000)), 65_536);
    const error = assertRefused(() => write(writer, "x"), "EAGAIN", "write");
    assertEquals(
      error.message,
      `Cannot write to descriptor ${writer}: write failed with EAGAIN (Resource temporarily unavailable)`,
    );
    read(reader, PIPE_BUF);
    assertEquals(write(writer, new Uint8Array(100_000)), PIPE_BUF);
    close(reader);
    close(writer);
  }),
);

Deno.test(
  "write() of more than one call can move gives the number that it moved",
  withoutLeaks(() => {
    const fd = open("/dev/null", O_WRONLY);
    assertEquals(write(fd, new Uint8Array(2 ** 31 + 5)), 0x7fff_f000);
    close(fd);
  }),
);

Deno.test(
  "write() of up to PIPE_BUF bytes is never mixed with what others write",
  withoutLeaks(() => {
    assertEquals(PIPE_BUF, 4096);
    for (const size of [PIPE_BUF, 3001]) {
      const [reader, writer] = pipe();
      const letters = encode("abcd");
      const pids = Array.from(letters, (letter) =>
        forkWith(() => {
          const record = new Uint8Array(size).fill(letter);
          for (let count = 0; count < 60; count++) {
            assertEquals(write(writer, record), size);
          }
        }));
      close(writer);
      const all = readAll(reader);
      close(reader);
      for (const pid of pids) assertEquals(reap(pid), 0);
      assertEquals(all.length, 4 * 60 * size);
      const records = new Map<number, number>();
      for (let at = 0; at < all.length; at += size) {
        const [letter] = all.subarray(at, at + size);
        const record = all.subarray(at, at + size);
        assert(record.every((byte) => byte === letter), `mixed at ${at}`);
        records.set(letter!, (records.get(letter!) ?? 0) + 1);
      }
      for (const letter of letters) assertEquals(records.get(letter), 60);
    }
  }),
);

Deno.test(
  "write() fails with EPIPE when nobody is left to read, and kills nobody",
  withoutLeaks(() => {
    const [reader, writer] = pipe();
    close(reader);
    assertRefused(() => write(writer, "x"), "EPIPE", "write");
    close(writer);
  }),
);

Deno.test(
  "write() waits for room, even when signals interrupt it",
  withoutLeaks(async () => {
    const [reader, writer] = pipe();
    write(writer, new Uint8Array(65_536));
    const status = await besideChild(() => {
      letInterrupt(SIGUSR1);
      return write(writer, "x") === 1 ? 0 : 1;
    }, async (pid) => {
      await interrupt(pid, "write", writer);
      assertEquals(read(reader, 65_536).length, 65_536);
    });
    assertEquals(status, 0);
    assertEquals(read(reader, 10), encode("x"));
    close(reader);
    close(writer);
  }),
);

Deno.test(
  "write() fails with EBADF for what is not open for writing",
  withoutLeaks(() => {
    const [reader, writer] = pipe();
    for (const fd of [reader, CLOSED_FD, LARGEST_FD]) {
      assertRefused(() => write(fd, "x"), "EBADF", "write");
    }
    close(reader);
    close(writer);
  }),
);

Deno.test(
  "write() fails with ENOSPC on a full device",
  withoutLeaks(() => {
    const fd = open("/dev/full", O_WRONLY);
    assertRefused(() => write(fd, "x"), "ENOSPC", "write");
    close(fd);
  }),
);

Deno.test(
  "write() goes on where the last one ended",
  withoutLeaks(() =>
    withDirectory((directory) => {
      const path = `${directory}/file`;
      const fd = open(path, O_WRONLY | O_CREAT);
      assertEquals(write(fd, "one "), 4);
      assertEquals(write(fd, encode("two")), 3);
      close(fd);
      const reader = open(path, O_RDONLY);
      assertEquals(readAll(reader), encode("one two"));
      close(reader);
    })
  ),
);

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
