import { assert, assertEquals } from "@std/assert";
import { close, open } from "../../ipc/descriptors.ts";
import { O_CREAT, O_NONBLOCK, O_RDONLY, O_RDWR } from "../../ipc/mod.ts";
import { pipe, pipe2 } from "../../ipc/pipes.ts";
import { read, readAll, write, writeAll } from "../../ipc/read_write.ts";
import { readText, withDirectory, withoutLeaks } from "../_helpers.ts";
import {
  assertRefused,
  assertSameBytes,
  besideChild,
  CLOSED_FD,
  decode,
  LARGEST_FD,
  pattern,
  untilAsleep,
} from "./_helpers.ts";

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
