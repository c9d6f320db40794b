import { processSymbols } from "../../ffi/_symbols.ts";
import { S_IFMT, S_IFREG } from "../../ffi/constants.ts";
import {
  close,
  dup,
  dup2,
  dup3,
  open,
  setCloexec,
  setNonblock,
} from "../../ipc/descriptors.ts";
import {
  O_APPEND,
  O_CLOEXEC,
  O_CREAT,
  O_DIRECTORY,
  O_EXCL,
  O_NOFOLLOW,
  O_NONBLOCK,
  O_PATH,
  O_RDONLY,
  O_RDWR,
  O_TMPFILE,
  O_TRUNC,
  O_WRONLY,
} from "../../ipc/mod.ts";
import { mkfifo, pipe, pipe2 } from "../../ipc/pipes.ts";
import { read, readAll, write } from "../../ipc/read_write.ts";
import {
  assertOpenDescriptors,
  forkWith,
  openDescriptors,
  reap,
  withDirectory,
  withoutLeaks,
} from "../_helpers.ts";
import {
  assertRefused,
  besideChild,
  CLOSED_FD,
  decode,
  dropPrivileges,
  flagsOf,
  interrupt,
  LARGEST_FD,
  leaveDescriptors,
  letInterrupt,
  lowestFree,
  namesIn,
  SIGUSR1,
  stat,
} from "./_helpers.ts";
import { assertEquals } from "@std/assert";

Deno.test(
  "open() gives the lowest free descriptor, close-on-exec",
  withoutLeaks(() => {
    const status = reap(forkWith(() => {
      const [lowest] = lowestFree(1);
      const fd = open("/dev/null", O_RDONLY);
      assertEquals(fd, lowest);
      assertEquals(flagsOf(fd) & O_CLOEXEC, O_CLOEXEC);
    }));
    assertEquals(status, 0);
  }),
);

Deno.test(
  "open() creates a file with the mode less the umask, 0o666 by default",
  withoutLeaks(() =>
    withDirectory((directory) => {
      const status = reap(forkWith(() => {
        processSymbols().umask(0o007);
        open(`${directory}/default`, O_WRONLY | O_CREAT);
        open(`${directory}/given`, O_WRONLY | O_CREAT, 0o4775);
      }));
      assertEquals(status, 0);
      assertEquals(stat(`${directory}/default`).mode, S_IFREG | 0o660);
      assertEquals(stat(`${directory}/given`).mode, S_IFREG | 0o4770);
    })
  ),
);

Deno.test(
  "open() takes O_APPEND, O_TRUNC and O_TMPFILE at their word",
  withoutLeaks(() =>
    withDirectory((directory) => {
      const path = `${directory}/file`;
      const contentAfter = (flags: number) => {
        const fd = open(path, O_WRONLY | O_CREAT | flags);
        write(fd, "abc");
        close(fd);
        const reader = open(path, O_RDONLY);
        const text = decode(readAll(reader));
        close(reader);
        return text;
      };
      assertEquals(contentAfter(0), "abc");
      assertEquals(contentAfter(O_APPEND), "abcabc");
      assertEquals(contentAfter(0), "abcabc");
      assertEquals(contentAfter(O_TRUNC), "abc");
      const nameless = open(directory, O_TMPFILE | O_RDWR, 0o600);
      assertEquals(stat(nameless).mode & S_IFMT, S_IFREG);
      assertEquals(namesIn(directory), ["file"]);
      close(nameless);
    })
  ),
);

Deno.test(
  "open() spells a path in UTF-8",
  withoutLeaks(() =>
    withDirectory((directory) => {
      close(open(`${directory}/grün-管道-🐧`, O_WRONLY | O_CREAT));
      assertEquals(namesIn(directory), ["grün-管道-🐧"]);
    })
  ),
);

Deno.test(
  "open() says which path it could not open, and why",
  withoutLeaks(() => {
    const refused = (path: string, flags: number, code: "ENOENT") =>
      assertRefused(() => open(path, flags), code, "open", path);
    const error = refused("/nowhere/at all", O_RDONLY, "ENOENT");
    assertEquals(
      error.message,
      `Cannot open "/nowhere/at all": open failed with ENOENT (No such file or directory)`,
    );
    assertEquals(error.errno, 2);
  }),
);

Deno.test(
  "open() reports what the kernel refuses",
  withoutLeaks(() => {
    const cases = [
      ["", O_RDONLY, "ENOENT"],
      ["/dev/null/file", O_RDONLY, "ENOTDIR"],
      ["/dev/null", O_RDONLY | O_DIRECTORY, "ENOTDIR"],
      ["/dev/null", O_WRONLY | O_CREAT | O_EXCL, "EEXIST"],
      ["/", O_WRONLY, "EISDIR"],
      ["/proc/self", O_RDONLY | O_NOFOLLOW, "ELOOP"],
      ["/tmp", O_TMPFILE | O_RDONLY, "EINVAL"],
      [`/${"x".repeat(256)}`, O_RDONLY, "ENAMETOOLONG"],
    ] as const;
    for (const [path, flags, code] of cases) {
      assertRefused(() => open(path, flags), code, "open", path);
    }
  }),
);

Deno.test(
  "open() fails with EACCES where permission is lacking",
  withoutLeaks(() =>
    withDirectory((directory) => {
      const path = `${directory}/secret`;
      close(open(path, O_WRONLY | O_CREAT, 0));
      const status = reap(forkWith(() => {
        dropPrivileges();
        assertRefused(() => open(path, O_RDONLY), "EACCES", "open", path);
      }));
      assertEquals(status, 0);
    })
  ),
);

Deno.test(
  "open() fails with EMFILE when no descriptor is left",
  withoutLeaks(() => {
    const status = reap(forkWith(() => {
      leaveDescriptors(2);
      open("/dev/null", O_RDONLY);
      open("/dev/null", O_RDONLY);
      const another = () => open("/dev/null", O_RDONLY);
      assertRefused(another, "EMFILE", "open", "/dev/null");
    }));
    assertEquals(status, 0);
  }),
);

Deno.test(
  "open() with O_PATH gives a handle that cannot be read",
  withoutLeaks(() => {
    const fd = open("/dev/null", O_PATH);
    assertRefused(() => readAll(fd), "EBADF", "read");
    close(fd);
  }),
);

Deno.test(
  "open() waits on when signals interrupt it",
  withoutLeaks(() =>
    withDirectory(async (directory) => {
      const path = `${directory}/fifo`;
      mkfifo(path);
      const status = await besideChild(() => {
        letInterrupt(SIGUSR1);
        open(path, O_RDONLY);
      }, async (pid) => {
        await interrupt(pid, "openat");
        close(open(path, O_WRONLY | O_NONBLOCK));
      });
      assertEquals(status, 0);
    })
  ),
);

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

Deno.test(
  "dup() gives the lowest free descriptor for the same open file",
  withoutLeaks(() => {
    const status = reap(forkWith(() => {
      const [reader, writer] = pipe();
      const [lowest] = lowestFree(1);
      const second = dup(writer);
      assertEquals(second, lowest);
      close(writer);
      write(second, "by the second");
      close(second);
      assertEquals(decode(readAll(reader)), "by the second");
    }));
    assertEquals(status, 0);
  }),
);

Deno.test(
  "dup() gives a close-on-exec descriptor, whatever the first one is",
  withoutLeaks(() => {
    for (const flags of [0, O_CLOEXEC]) {
      const [reader, writer] = pipe2(flags);
      const second = dup(reader);
      assertEquals(flagsOf(second) & O_CLOEXEC, O_CLOEXEC);
      assertEquals(flagsOf(reader) & O_CLOEXEC, flags);
      for (const fd of [reader, writer, second]) close(fd);
    }
  }),
);

Deno.test(
  "dup() shares the status flags",
  withoutLeaks(() => {
    const [reader, writer] = pipe();
    const second = dup(reader);
    setNonblock(second, true);
    assertEquals(flagsOf(reader) & O_NONBLOCK, O_NONBLOCK);
    for (const fd of [reader, writer, second]) close(fd);
  }),
);

Deno.test(
  "dup() fails with EBADF for what is not open, with EMFILE when none is left",
  withoutLeaks(() => {
    for (const fd of [CLOSED_FD, LARGEST_FD]) {
      assertRefused(() => dup(fd), "EBADF", "fcntl");
    }
    const status = reap(forkWith(() => {
      const [reader] = pipe();
      leaveDescriptors(1);
      dup(reader);
      assertRefused(() => dup(reader), "EMFILE", "fcntl");
    }));
    assertEquals(status, 0);
  }),
);

Deno.test(
  "dup2() puts the open file under the new number, in place of what was there",
  withoutLeaks(() => {
    const [reader, writer] = pipe();
    const [otherReader, otherWriter] = pipe();
    assertEquals(dup2(writer, otherWriter), otherWriter);
    assertEquals(read(otherReader, 1).length, 0);
    close(writer);
    write(otherWriter, "redirected");
    close(otherWriter);
    assertEquals(decode(readAll(reader)), "redirected");
    close(reader);
    close(otherReader);
  }),
);

Deno.test(
  "dup2() gives a descriptor that is not close-on-exec",
  withoutLeaks(() => {
    const [reader, writer] = pipe();
    const target = open("/dev/null", O_RDONLY);
    dup2(reader, target);
    assertEquals(flagsOf(target) & O_CLOEXEC, 0);
    assertEquals(flagsOf(reader) & O_CLOEXEC, O_CLOEXEC);
    for (const fd of [reader, writer, target]) close(fd);
  }),
);

Deno.test(
  "dup2() of a descriptor to itself changes nothing",
  withoutLeaks(() => {
    const [reader, writer] = pipe();
    assertEquals(dup2(reader, reader), reader);
    assertEquals(flagsOf(reader) & O_CLOEXEC, O_CLOEXEC);
    close(reader);
    close(writer);
    assertRefused(() => dup2(CLOSED_FD, CLOSED_FD), "EBADF", "dup2");
  }),
);

Deno.test(
  "dup2() wires the standard output of a child",
  withoutLeaks(() => {
    const [reader, writer] = pipe();
    const pid = forkWith(() => {
      dup2(writer, 1);
      write(1, "standard output");
    });
    close(writer);
    assertEquals(decode(readAll(reader)), "standard output");
    assertEquals(reap(pid), 0);
    close(reader);
  }),
);

Deno.test(
  "dup2() fails with EBADF for what is not open or beyond the limit, and closes nothing",
  withoutLeaks(() => {
    const [reader, writer] = pipe();
    const before = openDescriptors();
    const error = assertRefused(
      () => dup2(CLOSED_FD, writer),
      "EBADF",
      "dup2",
    );
    assertEquals(
      error.message,
      `Cannot duplicate descriptor ${CLOSED_FD} as ${writer}: dup2 failed with EBADF (Bad file descriptor)`,
    );
    assertRefused(() => dup2(reader, LARGEST_FD), "EBADF", "dup2");
    assertOpenDescriptors(before);
    const status = reap(forkWith(() => {
      leaveDescriptors(1);
      assertRefused(() => dup2(reader, 1000), "EBADF", "dup2");
    }));
    assertEquals(status, 0);
    close(reader);
    close(writer);
  }),
);

Deno.test(
  "dup3() puts the open file under the new number, with exactly the flags given",
  withoutLeaks(() => {
    const [reader, writer] = pipe();
    const target = open("/dev/null", O_RDONLY);
    for (const flags of [0, O_CLOEXEC, 0]) {
      assertEquals(dup3(reader, target, flags), target);
      assertEquals(flagsOf(target) & O_CLOEXEC, flags);
      write(writer, "same pipe");
      assertEquals(decode(read(target, 100)), "same pipe");
    }
    for (const fd of [reader, writer, target]) close(fd);
  }),
);

Deno.test(
  "dup3() reports what the kernel refuses",
  withoutLeaks(() => {
    const [reader, writer] = pipe();
    assertRefused(() => dup3(reader, reader, 0), "EINVAL", "dup3");
    assertRefused(() => dup3(reader, writer, O_NONBLOCK), "EINVAL", "dup3");
    assertRefused(() => dup3(CLOSED_FD, writer, 0), "EBADF", "dup3");
    assertRefused(() => dup3(reader, 2 ** 31 - 1, 0), "EBADF", "dup3");
    write(writer, "still a pipe");
    assertEquals(decode(read(reader, 100)), "still a pipe");
    close(reader);
    close(writer);
  }),
);

Deno.test(
  "setNonblock() switches O_NONBLOCK on and off, however often",
  withoutLeaks(() => {
    const [reader, writer] = pipe();
    for (const on of [true, true, false, false, true]) {
      setNonblock(reader, on);
      assertEquals(flagsOf(reader) & O_NONBLOCK, on ? O_NONBLOCK : 0);
    }
    assertRefused(() => read(reader, 1), "EAGAIN", "read");
    assertEquals(flagsOf(writer) & O_NONBLOCK, 0);
    close(reader);
    close(writer);
  }),
);

Deno.test(
  "setNonblock() leaves the other flags as they are",
  withoutLeaks(() =>
    withDirectory((directory) => {
      const fd = open(`${directory}/file`, O_WRONLY | O_CREAT | O_APPEND);
      const before = flagsOf(fd);
      assertEquals(before & O_APPEND, O_APPEND);
      setNonblock(fd, true);
      assertEquals(flagsOf(fd), before | O_NONBLOCK);
      setNonblock(fd, false);
      assertEquals(flagsOf(fd), before);
      close(fd);
    })
  ),
);

Deno.test(
  "setNonblock() fails with EBADF for what is not open, or only a path",
  withoutLeaks(() => {
    for (const fd of [CLOSED_FD, LARGEST_FD]) {
      assertRefused(() => setNonblock(fd, true), "EBADF", "fcntl");
    }
    const path = open("/", O_PATH);
    assertRefused(() => setNonblock(path, true), "EBADF", "fcntl");
    close(path);
  }),
);

Deno.test(
  "setCloexec() switches close-on-exec of this descriptor alone",
  withoutLeaks(() => {
    const [reader, writer] = pipe();
    const second = dup(reader);
    for (const on of [false, false, true, true, false]) {
      setCloexec(reader, on);
      assertEquals(flagsOf(reader) & O_CLOEXEC, on ? O_CLOEXEC : 0);
      assertEquals(flagsOf(second) & O_CLOEXEC, O_CLOEXEC);
    }
    for (const fd of [reader, writer, second]) close(fd);
  }),
);

Deno.test(
  "setCloexec() fails with EBADF for what is not open",
  withoutLeaks(() => {
    for (const fd of [CLOSED_FD, LARGEST_FD]) {
      const error = assertRefused(() => setCloexec(fd, true), "EBADF", "fcntl");
      assertEquals(
        error.message,
        `Cannot change flags of descriptor ${fd}: fcntl failed with EBADF (Bad file descriptor)`,
      );
    }
  }),
);
