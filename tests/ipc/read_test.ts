import { close, open, setNonblock } from "../../ipc/descriptors.ts";
import { O_CREAT, O_NONBLOCK, O_RDONLY, O_RDWR } from "../../ipc/mod.ts";
import { pipe, pipe2, setPipeSize } from "../../ipc/pipes.ts";
import {
  read,
  readAll,
  readInto,
  readLimit,
  write,
  writeAll,
} from "../../ipc/read_write.ts";
import { readText, withDirectory, withoutLeaks } from "../_helpers.ts";
import {
  assertRefused,
  assertSameBytes,
  besideChild,
  CLOSED_FD,
  decode,
  encode,
  interrupt,
  LARGEST_FD,
  letInterrupt,
  pattern,
  SIGUSR1,
  sockets,
  untilAsleep,
} from "./_helpers.ts";
import { libc } from "./_libc.ts";
import { assert, assertEquals, assertThrows } from "@std/assert";

const HUGE = Number.MAX_SAFE_INTEGER;

Deno.test(
  "read() gives at most count bytes, and each only once",
  withoutLeaks(() => {
    const [reader, writer] = pipe2(O_NONBLOCK);
    write(writer, "hello, pipe");
    assertEquals(decode(read(reader, 5)), "hello");
    assertEquals(read(reader, 0), new Uint8Array(0));
    assertEquals(decode(read(reader, 100)), ", pipe");
    assertRefused(() => read(reader, 100), "EAGAIN", "read");
    close(reader);
    close(writer);
  }),
);

Deno.test(
  "read() gives zero bytes when no writer is left, again and again",
  withoutLeaks(() => {
    const [reader, writer] = pipe();
    write(writer, "last words");
    close(writer);
    assertEquals(decode(read(reader, 100)), "last words");
    for (const count of [1, 100, 65_537, HUGE]) {
      assertEquals(read(reader, count), new Uint8Array(0));
    }
    close(reader);
  }),
);

Deno.test(
  "read() gives bytes in memory of their own",
  withoutLeaks(() => {
    const [reader, writer] = pipe();
    write(writer, "onetwo");
    const one = read(reader, 3);
    const two = read(reader, 3);
    assertEquals([decode(one), decode(two)], ["one", "two"]);
    assertEquals(one.buffer.byteLength, 3);
    two.fill(0);
    write(writer, "xxxxxx");
    read(reader, 6);
    assertEquals(decode(one), "one");
    close(reader);
    close(writer);
  }),
);

Deno.test(
  "read() waits until there is something",
  withoutLeaks(async () => {
    const [reader, writer] = pipe();
    const status = await besideChild(
      () => decode(read(reader, 10)) === "x" ? 0 : 1,
      async (pid) => {
        await untilAsleep(pid, "read", reader);
        write(writer, "x");
      },
    );
    assertEquals(status, 0);
    close(reader);
    close(writer);
  }),
);

Deno.test(
  "read() waits on when signals interrupt it",
  withoutLeaks(async () => {
    const [reader, writer] = pipe();
    for (const count of [10, HUGE]) {
      const status = await besideChild(() => {
        letInterrupt(SIGUSR1);
        return decode(read(reader, count)) === "x" ? 0 : 1;
      }, async (pid) => {
        await interrupt(pid, "read", reader);
        write(writer, "x");
      });
      assertEquals(status, 0);
    }
    close(reader);
    close(writer);
  }),
);

Deno.test(
  "read() of a regular file gives count bytes, or all that remain, in one call",
  withoutLeaks(() =>
    withDirectory((directory) => {
      const content = pattern(300_000);
      const path = `${directory}/file`;
      const writer = open(path, O_RDWR | O_CREAT);
      writeAll(writer, content);
      assertEquals(read(writer, HUGE).length, 0);
      close(writer);
      const fd = open(path, O_RDONLY);
      let offset = 0;
      for (const count of [1, 65_536, 65_537, 150_000, 0, HUGE, HUGE]) {
        const bytes = read(fd, count);
        const expected = content.subarray(offset, offset + count);
        assertSameBytes(bytes, expected);
        assertEquals(bytes.buffer.byteLength, bytes.length);
        offset += bytes.length;
      }
      assertEquals(offset, content.length);
      close(fd);
    })
  ),
);

Deno.test(
  "read() of a regular file that claims to be empty gives what it holds",
  withoutLeaks(() => {
    const fd = open("/proc/self/status", O_RDONLY);
    const text = decode(read(fd, HUGE));
    assert(text.startsWith("Name:"), text);
    close(fd);
  }),
);

Deno.test(
  "read() of a pipe gives all that it holds, were it a mebibyte",
  withoutLeaks(() => {
    const [reader, writer] = pipe();
    const content = pattern(setPipeSize(writer, 1_048_576));
    assertEquals(write(writer, content), content.length);
    const bytes = read(reader, HUGE);
    assertSameBytes(bytes, content);
    close(reader);
    close(writer);
  }),
);

Deno.test(
  "read() of a device gives a mebibyte at least",
  withoutLeaks(() => {
    const fd = open("/dev/zero", O_RDONLY);
    assertSameBytes(read(fd, 1_048_576), new Uint8Array(1_048_576));
    close(fd);
  }),
);

Deno.test(
  "read() does not cut a datagram, whether it is there or still to come",
  withoutLeaks(async () => {
    const [here, there] = sockets(2);
    const message = pattern(150_000);
    assertEquals(write(there, message), message.length);
    assertSameBytes(read(here, HUGE), message);
    const status = await besideChild(
      () => read(here, HUGE).length === message.length ? 0 : 1,
      async (pid) => {
        await untilAsleep(pid, "read", here);
        write(there, message);
      },
    );
    assertEquals(status, 0);
    close(here);
    close(there);
  }),
);

Deno.test(
  "read() with a huge count takes no more memory than there is to read",
  withoutLeaks(() => {
    const [reader, writer] = pipe2(O_NONBLOCK);
    const before = Deno.memoryUsage().external;
    const kept: Uint8Array[] = [];
    for (let round = 0; round < 1000; round++) {
      write(writer, "hello");
      kept.push(read(reader, HUGE));
    }
    assertRefused(() => read(reader, HUGE), "EAGAIN", "read");
    for (const bytes of kept) assertEquals(bytes.buffer.byteLength, 5);
    assert(Deno.memoryUsage().external - before < 100_000_000);
    close(reader);
    close(writer);
  }),
);

Deno.test(
  "read() fails with EAGAIN while nothing is there, if it must not wait",
  withoutLeaks(() => {
    const [reader, writer] = pipe();
    setNonblock(reader, true);
    for (const count of [1, HUGE]) {
      const error = assertRefused(() => read(reader, count), "EAGAIN", "read");
      assertEquals(
        error.message,
        `Cannot read from descriptor ${reader}: read failed with EAGAIN (Resource temporarily unavailable)`,
      );
    }
    write(writer, encode("now"));
    assertEquals(decode(read(reader, 10)), "now");
    close(reader);
    close(writer);
  }),
);

Deno.test(
  "read() fails with EBADF for what is not open for reading",
  withoutLeaks(() => {
    const [reader, writer] = pipe();
    for (const fd of [writer, CLOSED_FD, LARGEST_FD]) {
      for (const count of [0, 1, HUGE]) {
        assertRefused(() => read(fd, count), "EBADF", "read");
      }
    }
    close(reader);
    close(writer);
  }),
);

Deno.test(
  "read() fails with EISDIR for a directory",
  withoutLeaks(() => {
    const fd = open("/", O_RDONLY);
    for (const count of [1, HUGE]) {
      assertRefused(() => read(fd, count), "EISDIR", "read");
    }
    close(fd);
  }),
);

Deno.test(
  "readInto() fills what there is room for, leaves the rest as it is, and gives the number",
  withoutLeaks(() => {
    const [reader, writer] = pipe2(O_NONBLOCK);
    write(writer, "hello, pipe");
    const buffer = new Uint8Array(10).fill(0x2e);
    assertEquals(readInto(reader, buffer.subarray(2, 7)), 5);
    assertEquals(decode(buffer), "..hello...");
    assertEquals(readInto(reader, buffer), 6);
    assertEquals(decode(buffer), ", pipeo...");
    assertRefused(() => readInto(reader, buffer), "EAGAIN", "read");
    assertEquals(readInto(reader, new Uint8Array(0)), 0);
    close(writer);
    assertEquals(readInto(reader, buffer), 0);
    close(reader);
  }),
);

Deno.test(
  "readInto() refuses what is no descriptor, or no array of bytes",
  () => {
    assertRefused(
      () => readInto(CLOSED_FD, new Uint8Array(1)),
      "EBADF",
      "read",
    );
    const error = assertThrows(
      () => readInto(-1, new Uint8Array(1)),
      RangeError,
    );
    assert(error.message.includes("'fd'"));
    for (const into of [undefined, 5, [1], new Uint16Array(2)]) {
      assertThrows(
        () => readInto(0, into as unknown as Uint8Array<ArrayBuffer>),
        TypeError,
        "'into' must be a Uint8Array",
      );
    }
  },
);

Deno.test(
  "readAll() gives everything that came until the last writer closed",
  withoutLeaks(() => {
    for (const messages of [[], ["one"], ["one", " two", " three"]]) {
      const [reader, writer] = pipe();
      for (const message of messages) write(writer, message);
      close(writer);
      const bytes = readAll(reader);
      assertEquals(decode(bytes), messages.join(""));
      assertEquals(bytes.buffer.byteLength, bytes.length);
      assertEquals(readAll(reader).length, 0);
      close(reader);
    }
  }),
);

for (const flags of [0, O_NONBLOCK]) {
  Deno.test(
    `readAll() follows a slower writer to the end (${
      flags ? "non-blocking" : "blocking"
    })`,
    withoutLeaks(async () => {
      const [reader, writer] = pipe2(flags);
      const content = pattern(3_000_000);
      const status = await besideChild(() => {
        close(reader);
        writeAll(writer, content);
      }, () => {
        close(writer);
        const all = readAll(reader);
        assertSameBytes(all, content);
      });
      assertEquals(status, 0);
      close(reader);
    }),
  );
}

Deno.test(
  "readAll() sleeps while a non-blocking pipe is empty",
  withoutLeaks(async () => {
    const [reader, writer] = pipe2(O_NONBLOCK);
    const status = await besideChild(() => {
      close(writer);
      return decode(readAll(reader)) === "at last" ? 0 : 1;
    }, async (pid) => {
      await untilAsleep(pid, "poll");
      write(writer, "at ");
      await untilAsleep(pid, "poll");
      write(writer, "last");
      close(writer);
    });
    assertEquals(status, 0);
    close(reader);
  }),
);

Deno.test(
  "readAll() gives what remains of a regular file",
  withoutLeaks(() =>
    withDirectory((directory) => {
      for (const size of [0, 1, 65_535, 65_536, 65_537, 1_000_000]) {
        const path = `${directory}/${size}`;
        const content = pattern(size);
        const writer = open(path, O_RDWR | O_CREAT);
        writeAll(writer, content);
        close(writer);
        const fd = open(path, O_RDONLY);
        const head = read(fd, 10);
        const tail = readAll(fd);
        assertSameBytes(head, content.subarray(0, 10));
        assertSameBytes(tail, content.subarray(10));
        assertEquals(tail.buffer.byteLength, tail.length);
        close(fd);
      }
    })
  ),
);

Deno.test(
  "readAll() gives the whole of a file that claims to be empty",
  withoutLeaks(() => {
    const fd = open("/proc/cpuinfo", O_RDONLY);
    const text = decode(readAll(fd));
    close(fd);
    const lines = (text: string) => text.split("\n").length;
    assert(text.length > 0);
    assertEquals(lines(text), lines(readText("/proc/cpuinfo")));
  }),
);

Deno.test(
  "readAll() reports what the kernel refuses",
  withoutLeaks(() => {
    for (const fd of [CLOSED_FD, LARGEST_FD]) {
      assertRefused(() => readAll(fd), "EBADF", "read");
    }
    const directory = open("/", O_RDONLY);
    assertRefused(() => readAll(directory), "EISDIR", "read");
    close(directory);
  }),
);

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
