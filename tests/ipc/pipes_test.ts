import { processSymbols } from "../../ffi/_symbols.ts";
import { S_IFIFO } from "../../ffi/constants.ts";
import { close, open } from "../../ipc/descriptors.ts";
import {
  O_ACCMODE,
  O_APPEND,
  O_CLOEXEC,
  O_CREAT,
  O_DIRECT,
  O_NONBLOCK,
  O_RDONLY,
  O_RDWR,
  O_WRONLY,
  PIPE_BUF,
  socketpair,
  splice,
  SPLICE_F_MOVE,
  SPLICE_F_NONBLOCK,
  tee,
  writeAll,
} from "../../ipc/mod.ts";
import {
  getPipeSize,
  mkfifo,
  pipe,
  pipe2,
  setPipeSize,
  unlink,
} from "../../ipc/pipes.ts";
import { read, readAll, write } from "../../ipc/read_write.ts";
import {
  assertOpenDescriptors,
  forkWith,
  openDescriptors,
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
  decode,
  dropPrivileges,
  flagsOf,
  leaveDescriptors,
  lowestFree,
  namesIn,
  pattern,
  stat,
  untilAsleep,
  withoutPermission,
} from "./_helpers.ts";
import { assertEquals, assertThrows } from "@std/assert";

Deno.test(
  "pipe() gives the two lowest free descriptors, the reading end first",
  withoutLeaks(() => {
    const status = reap(forkWith(() => {
      // A gap below the others, so that "lowest" is not "next".
      const gap = pipe();
      pipe();
      close(gap[0]);
      const expected = lowestFree(2);
      assertEquals(expected[0], gap[0]);
      const [reader, writer] = pipe();
      assertEquals([reader, writer], expected);
      assertEquals(flagsOf(reader) & O_ACCMODE, O_RDONLY);
      assertEquals(flagsOf(writer) & O_ACCMODE, O_WRONLY);
    }));
    assertEquals(status, 0);
  }),
);

Deno.test(
  "pipe() gives ends that block and are close-on-exec",
  withoutLeaks(() => {
    const ends = pipe();
    for (const fd of ends) {
      assertEquals(flagsOf(fd) & (O_CLOEXEC | O_NONBLOCK), O_CLOEXEC);
      close(fd);
    }
  }),
);

Deno.test(
  "pipe() carries data from a child to its parent",
  withoutLeaks(() => {
    const [reader, writer] = pipe();
    const pid = forkWith(() => {
      write(writer, "from the child");
    });
    close(writer);
    assertEquals(decode(read(reader, 100)), "from the child");
    assertEquals(read(reader, 100).length, 0);
    assertEquals(reap(pid), 0);
    close(reader);
  }),
);

Deno.test(
  "pipe() that fails with EMFILE takes no descriptor",
  withoutLeaks(() => {
    const status = reap(forkWith(() => {
      leaveDescriptors(3);
      pipe();
      const before = openDescriptors();
      const error = assertRefused(pipe, "EMFILE", "pipe2");
      assertEquals(
        error.message,
        "Cannot create pipe: pipe2 failed with EMFILE (Too many open files)",
      );
      assertOpenDescriptors(before);
    }));
    assertEquals(status, 0);
  }),
);

Deno.test(
  "pipe2() sets the flags that are given, and no others",
  withoutLeaks(() => {
    for (const flags of [0, O_CLOEXEC, O_NONBLOCK, O_CLOEXEC | O_NONBLOCK]) {
      for (const fd of pipe2(flags)) {
        assertEquals(flagsOf(fd) & (O_CLOEXEC | O_NONBLOCK), flags);
        close(fd);
      }
    }
  }),
);

Deno.test(
  "pipe2() with O_DIRECT keeps packets apart",
  withoutLeaks(() => {
    const [reader, writer] = pipe2(O_DIRECT);
    write(writer, "one");
    write(writer, "two");
    assertEquals(decode(read(reader, 100_000)), "one");
    assertEquals(decode(read(reader, 100)), "two");
    close(reader);
    close(writer);
  }),
);

Deno.test(
  "pipe2() fails with EINVAL for an unknown flag",
  withoutLeaks(() => {
    for (const flags of [O_APPEND, 1, 2 ** 31 - 1]) {
      assertRefused(() => pipe2(flags), "EINVAL", "pipe2");
    }
  }),
);

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

Deno.test(
  "unlink() removes the name, and leaves it to those who have it open",
  withoutLeaks(() =>
    withDirectory((directory) => {
      const path = `${directory}/fifo-管道`;
      mkfifo(path);
      const fd = open(path, O_RDWR);
      unlink(path);
      assertEquals(namesIn(directory), []);
      write(fd, "nameless");
      assertEquals(decode(read(fd, 100)), "nameless");
      close(fd);
    })
  ),
);

Deno.test(
  "unlink() reports what the kernel refuses, and removes nothing",
  withoutLeaks(() =>
    withDirectory((directory) => {
      const path = `${directory}/file`;
      const missing = () => unlink(path);
      const error = assertRefused(missing, "ENOENT", "unlink", path);
      assertEquals(
        error.message,
        `Cannot remove "${path}": unlink failed with ENOENT (No such file or directory)`,
      );
      assertRefused(() => unlink(""), "ENOENT", "unlink", "");
      assertRefused(
        () => unlink("/dev/null/x"),
        "ENOTDIR",
        "unlink",
        "/dev/null/x",
      );
      assertRefused(() => unlink(directory), "EISDIR", "unlink", directory);
      close(open(path, O_WRONLY | O_CREAT));
      const status = withoutPermission(directory, () => {
        assertRefused(() => unlink(path), "EACCES", "unlink", path);
      });
      assertEquals(status, 0);
      assertEquals(namesIn(directory), ["file"]);
    })
  ),
);

function closeAll(...fds: number[]): void {
  for (const fd of fds) close(fd);
}

Deno.test(
  "splice() moves a file through a pipe into another file, however long, from and to offsets",
  withoutLeaks(() =>
    withDirectory((directory) => {
      const data = pattern(300_000);
      const source = open(`${directory}/source`, O_RDWR | O_CREAT);
      const target = open(`${directory}/target`, O_RDWR | O_CREAT);
      writeAll(source, data);
      const [reader, writer] = pipe();
      let from = 1000;
      let to = 5;
      for (;;) {
        const count = splice(source, from, writer, null, 100_000);
        if (count === 0) break;
        from += count;
        for (let left = count; left > 0;) {
          const moved = splice(reader, null, target, to, left, SPLICE_F_MOVE);
          left -= moved;
          to += moved;
        }
      }
      const copy = readAll(target); // its position is still at the start
      assertSameBytes(copy.subarray(5), data.subarray(1000));
      closeAll(source, target, reader, writer);
    })
  ),
);

Deno.test(
  "splice() reads a file at its position, and moves that",
  withoutLeaks(() => {
    const [reader, writer] = pipe();
    const file = open("/proc/self/exe", O_RDONLY);
    assertEquals(splice(file, null, writer, null, 4), 4);
    assertEquals(decode(read(reader, 64)), "\x7fELF");
    assertEquals(read(file, 1)[0], 2); // the fifth byte: 64 bits
    closeAll(file, reader, writer);
  }),
);

Deno.test(
  "splice() moves between pipes and sockets, gives 0 at the end, and fails with EPIPE where nobody reads",
  withoutLeaks(() => {
    const [left, right] = socketpair();
    const [reader, writer] = pipe();
    write(left, "over the socket");
    assertEquals(splice(right, null, writer, null, 4), 4);
    assertEquals(splice(reader, null, right, null, 64), 4);
    assertEquals(decode(read(left, 64)), "over");
    write(writer, "x");
    close(left);
    assertRefused(
      () => splice(reader, null, right, null, 64),
      "EPIPE",
      "splice",
    );
    close(writer);
    const [next, toNext] = pipe();
    while (splice(reader, null, toNext, null, 64) > 0);
    closeAll(reader, right, next, toNext);
  }),
);

Deno.test(
  "splice() waits for the pipe, or fails with EAGAIN if it must not",
  withoutLeaks(async () => {
    const [reader, writer] = pipe();
    const [next, toNext] = pipe();
    assertRefused(
      () => splice(reader, null, toNext, null, 64, SPLICE_F_NONBLOCK),
      "EAGAIN",
      "splice",
    );
    assertRefused(
      () => tee(reader, toNext, 64, SPLICE_F_NONBLOCK),
      "EAGAIN",
      "tee",
    );
    const raw = await besideChild(() => {
      assertEquals(splice(reader, null, toNext, null, 64), 4);
    }, () => void write(writer, "late"));
    assertEquals(raw, 0);
    assertEquals(decode(read(next, 64)), "late");
    closeAll(reader, writer, next, toNext);
  }),
);

Deno.test(
  "tee() duplicates what waits in a pipe, and leaves it there",
  withoutLeaks(() => {
    const [reader, writer] = pipe();
    const [copy, toCopy] = pipe();
    write(writer, "twice");
    assertEquals(tee(reader, toCopy, 3), 3);
    assertEquals(decode(read(copy, 64)), "twi");
    assertEquals(tee(reader, toCopy, 64), 5);
    assertEquals(decode(read(reader, 64)), "twice");
    close(writer);
    assertEquals(tee(reader, toCopy, 64), 0);
    close(copy);
    closeAll(reader, toCopy);
  }),
);

Deno.test(
  "splice() and tee() refuse what cannot be moved",
  withoutLeaks(() =>
    withDirectory((directory) => {
      const [reader, writer] = pipe();
      const file = open(`${directory}/file`, O_RDWR | O_CREAT);
      const log = open(`${directory}/log`, O_RDWR | O_CREAT | O_APPEND);
      const refused = (...args: Parameters<typeof splice>) =>
        assertThrows(() => splice(...args), Error, "splice failed with").message
          .match(/with (\w+)/)![1];
      write(writer, "x");
      assertEquals(refused(file, null, log, null, 1), "EINVAL");
      assertEquals(refused(reader, null, log, null, 1), "EINVAL");
      assertEquals(refused(reader, null, writer, null, 1), "EINVAL");
      assertEquals(refused(reader, 0, file, null, 1), "ESPIPE");
      assertEquals(refused(file, null, writer, 0, 1), "ESPIPE");
      assertEquals(refused(CLOSED_FD, null, writer, null, 1), "EBADF");
      assertEquals(refused(writer, null, file, null, 1), "EBADF");
      assertRefused(() => tee(file, writer, 1), "EINVAL", "tee");
      assertRefused(() => tee(reader, writer, 1), "EINVAL", "tee");
      assertRefused(() => tee(CLOSED_FD, writer, 1), "EBADF", "tee");
      closeAll(reader, writer, file, log);
    })
  ),
);

Deno.test("splice() and tee() check their arguments before any effect", () => {
  assertThrows(() => splice(-1, null, 1, null, 1), RangeError, "'fdIn'");
  assertThrows(() => splice(0, -1, 1, null, 1), RangeError, "'offsetIn'");
  assertThrows(() => splice(0, null, -1, null, 1), RangeError, "'fdOut'");
  assertThrows(() => splice(0, null, 1, 0.5, 1), RangeError, "'offsetOut'");
  assertThrows(() => splice(0, null, 1, null, -1), RangeError, "'count'");
  assertThrows(() => splice(0, null, 1, null, 1, -1), RangeError, "'flags'");
  // @ts-expect-error: an offset is a number or null
  assertThrows(() => splice(0, undefined, 1, null, 1), TypeError, "'offsetIn'");
  assertThrows(() => tee(-1, 1, 1), RangeError, "'fdIn'");
  assertThrows(() => tee(0, -1, 1), RangeError, "'fdOut'");
  assertThrows(() => tee(0, 1, NaN), RangeError, "'count'");
});
