import { assertEquals } from "@std/assert";
import { processSymbols } from "../../ffi/_symbols.ts";
import { S_IFIFO } from "../../ffi/constants.ts";
import { close, open } from "../../ipc/descriptors.ts";
import { getPipeSize, mkfifo } from "../../ipc/pipes.ts";
import {
  O_NONBLOCK,
  O_RDONLY,
  O_RDWR,
  O_WRONLY,
  PIPE_BUF,
} from "../../ipc/mod.ts";
import { read, readAll, write } from "../../ipc/read_write.ts";
import { forkWith, reap, withDirectory, withoutLeaks } from "../_helpers.ts";
import {
  assertRefused,
  besideChild,
  decode,
  namesIn,
  stat,
  untilAsleep,
  withoutPermission,
} from "./_helpers.ts";

/** Runs a test with a FIFO of its own. */
function withFifo(
  body: (path: string) => void | Promise<void>,
): () => Promise<void> {
  return withoutLeaks(() =>
    withDirectory((directory) => {
      const path = `${directory}/fifo`;
      mkfifo(path);
      return body(path);
    })
  );
}

Deno.test(
  "mkfifo() creates a FIFO with the mode less the umask, 0o666 by default",
  withoutLeaks(() =>
    withDirectory((directory) => {
      const status = reap(forkWith(() => {
        processSymbols().umask(0o007);
        mkfifo(`${directory}/default`);
        mkfifo(`${directory}/给定`, 0o1777);
      }));
      assertEquals(status, 0);
      assertEquals(stat(`${directory}/default`).mode, S_IFIFO | 0o660);
      assertEquals(stat(`${directory}/给定`).mode, S_IFIFO | 0o1770);
    })
  ),
);

Deno.test(
  "mkfifo() fails with EEXIST where something is there, a FIFO included",
  withFifo((path) => {
    const error = assertRefused(() => mkfifo(path), "EEXIST", "mkfifo", path);
    assertEquals(
      error.message,
      `Cannot create FIFO "${path}": mkfifo failed with EEXIST (File exists)`,
    );
    const there = () => mkfifo("/dev/null");
    assertRefused(there, "EEXIST", "mkfifo", "/dev/null");
  }),
);

Deno.test(
  "mkfifo() reports what the kernel refuses, and creates nothing",
  withoutLeaks(() =>
    withDirectory((directory) => {
      const cases = [
        ["", "ENOENT"],
        [`${directory}/no/fifo`, "ENOENT"],
        ["/dev/null/fifo", "ENOTDIR"],
        [`${directory}/${"x".repeat(256)}`, "ENAMETOOLONG"],
      ] as const;
      for (const [path, code] of cases) {
        assertRefused(() => mkfifo(path), code, "mkfifo", path);
      }
      const status = withoutPermission(directory, () => {
        const path = `${directory}/fifo`;
        assertRefused(() => mkfifo(path), "EACCES", "mkfifo", path);
      });
      assertEquals(status, 0);
      assertEquals(namesIn(directory), []);
    })
  ),
);

for (
  const [name, mine, other] of [
    ["reading", O_RDONLY, O_WRONLY],
    ["writing", O_WRONLY, O_RDONLY],
  ] as const
) {
  Deno.test(
    `open() of a FIFO for ${name} waits until the other end is opened`,
    withFifo(async (path) => {
      const status = await besideChild(() => {
        open(path, mine);
      }, async (pid) => {
        await untilAsleep(pid, "openat");
        close(open(path, other));
      });
      assertEquals(status, 0);
    }),
  );
}

Deno.test(
  "open() of a FIFO with O_RDWR does not wait",
  withFifo((path) => {
    const fd = open(path, O_RDWR);
    write(fd, "to myself");
    assertEquals(decode(read(fd, 100)), "to myself");
    close(fd);
  }),
);

Deno.test(
  "open() of a FIFO with O_NONBLOCK waits for nobody: a reader gets it, a writer ENXIO",
  withFifo((path) => {
    const alone = () => open(path, O_WRONLY | O_NONBLOCK);
    assertRefused(alone, "ENXIO", "open", path);
    const reader = open(path, O_RDONLY | O_NONBLOCK);
    assertEquals(read(reader, 1).length, 0);
    const writer = open(path, O_WRONLY | O_NONBLOCK);
    assertRefused(() => read(reader, 1), "EAGAIN", "read");
    write(writer, "x");
    assertEquals(read(reader, 10).length, 1);
    close(writer);
    assertEquals(read(reader, 1).length, 0);
    close(reader);
    assertRefused(alone, "ENXIO", "open", path);
  }),
);

Deno.test(
  "write() to a FIFO fails with EPIPE when every reader is gone",
  withFifo((path) => {
    const reader = open(path, O_RDONLY | O_NONBLOCK);
    const writer = open(path, O_WRONLY);
    write(writer, "x");
    close(reader);
    assertRefused(() => write(writer, "x"), "EPIPE", "write");
    close(writer);
  }),
);

Deno.test(
  "a FIFO keeps size 0 and the capacity of a pipe, whatever it holds",
  withFifo((path) => {
    const fd = open(path, O_RDWR);
    write(fd, new Uint8Array(PIPE_BUF));
    assertEquals(stat(path).size, 0n);
    assertEquals(stat(path).mode & S_IFIFO, S_IFIFO);
    assertEquals(getPipeSize(fd), 65_536);
    close(fd);
  }),
);

Deno.test(
  "a FIFO carries messages between processes, in order and once",
  withFifo(async (path) => {
    const messages = Array.from({ length: 100 }, (_, n) => `message ${n}\n`);
    const status = await besideChild(() => {
      const writer = open(path, O_WRONLY);
      for (const message of messages) write(writer, message);
    }, () => {
      const reader = open(path, O_RDONLY);
      assertEquals(decode(readAll(reader)), messages.join(""));
      close(reader);
    });
    assertEquals(status, 0);
  }),
);
