import { assertEquals } from "@std/assert";
import { processSymbols } from "../../ffi/_symbols.ts";
import { S_IFMT, S_IFREG } from "../../ffi/constants.ts";
import { close, open } from "../../ipc/descriptors.ts";
import { mkfifo } from "../../ipc/pipes.ts";
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
import { readAll, write } from "../../ipc/read_write.ts";
import { forkWith, reap, withDirectory, withoutLeaks } from "../_helpers.ts";
import {
  assertRefused,
  besideChild,
  decode,
  dropPrivileges,
  flagsOf,
  interrupt,
  leaveDescriptors,
  letInterrupt,
  lowestFree,
  namesIn,
  SIGUSR1,
  stat,
} from "./_helpers.ts";

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
