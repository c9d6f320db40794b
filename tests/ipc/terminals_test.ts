import { spawnPty } from "../../exec/spawn_pty.ts";
import { cString } from "../../ffi/_arguments.ts";
import { descriptorSymbols } from "../../ffi/_symbols.ts";
import { F_GETFD, FD_CLOEXEC } from "../../ffi/constants.ts";
import { PosixError } from "../../ffi/errors.ts";
import { close, open, setNonblock } from "../../ipc/descriptors.ts";
import { O_NONBLOCK, O_RDONLY, O_RDWR } from "../../ipc/mod.ts";
import { pipe } from "../../ipc/pipes.ts";
import { read, write } from "../../ipc/read_write.ts";
import {
  isatty,
  openpty,
  tcgetwinsize,
  tcsetwinsize,
  ttyname,
} from "../../ipc/terminals.ts";
import {
  assertOpenDescriptors,
  directoryEntries,
  forkWith,
  openDescriptors,
  readText,
  reap,
  until,
  withoutLeaks,
} from "../_helpers.ts";
import {
  assertRefused,
  CLOSED_FD,
  decode,
  flagsOf,
  LARGEST_FD,
  leaveDescriptors,
  lowestFree,
  sockets,
} from "./_helpers.ts";
import { libc } from "./_libc.ts";
import { assert, assertEquals, assertThrows } from "@std/assert";
import { basename } from "@std/path";

Deno.test(
  "isatty() is true for both ends of a terminal, until it is hung up",
  withoutLeaks(() => {
    const { controller, terminal } = openpty();
    assertEquals([isatty(controller), isatty(terminal)], [true, true]);
    close(controller);
    assertEquals(isatty(terminal), false);
    close(terminal);
  }),
);

Deno.test(
  "isatty() is false for what is no terminal",
  withoutLeaks(() => {
    const fds = [
      ...pipe(),
      ...sockets(1),
      open("/dev/null", O_RDONLY),
      open("/", O_RDONLY),
    ];
    for (const fd of fds) {
      assertEquals(isatty(fd), false);
      close(fd);
    }
  }),
);

Deno.test(
  "isatty() fails with EBADF for what is not open",
  withoutLeaks(() => {
    for (const fd of [CLOSED_FD, LARGEST_FD]) {
      const error = assertRefused(() => isatty(fd), "EBADF", "isatty");
      assertEquals(
        error.message,
        `Cannot tell whether descriptor ${fd} is a terminal: isatty failed with EBADF (Bad file descriptor)`,
      );
    }
  }),
);

Deno.test(
  "ttyname() gives the path of a terminal",
  withoutLeaks(() => {
    const { controller, terminal, name } = openpty();
    assertEquals(ttyname(terminal), name);
    close(terminal);
    close(controller);
  }),
);

Deno.test(
  "ttyname() throws ENOTTY for what is no terminal, and EBADF for what is not open",
  withoutLeaks(() => {
    const fd = open("/dev/null", O_RDONLY);
    const error = assertRefused(() => ttyname(fd), "ENOTTY", "ttyname_r");
    assertEquals(
      error.message.startsWith(
        `Cannot get the name of the terminal of descriptor ${fd}: `,
      ),
      true,
    );
    close(fd);
    assertRefused(() => ttyname(CLOSED_FD), "EBADF", "ttyname_r");
  }),
);

Deno.test("ttyname() refuses what is no descriptor", () => {
  for (const fd of [-1, 0.5, NaN, 2 ** 31]) {
    assertThrows(() => ttyname(fd), RangeError, "'fd'");
  }
});

Deno.test(
  "tcsetwinsize() sets the size for both ends, whichever is told",
  withoutLeaks(() => {
    const { controller, terminal } = openpty();
    tcsetwinsize(controller, { columns: 100, rows: 50 });
    assertEquals(tcgetwinsize(terminal), {
      columns: 100,
      rows: 50,
      xpixel: 0,
      ypixel: 0,
    });
    const size = { columns: 1, rows: 65_535, xpixel: 7, ypixel: 9 };
    tcsetwinsize(terminal, size);
    assertEquals(tcgetwinsize(controller), size);
    close(terminal);
    close(controller);
  }),
);

Deno.test(
  "tcsetwinsize() and tcgetwinsize() fail for what is no terminal, not open, or hung up",
  withoutLeaks(() => {
    const [reader, writer] = pipe();
    const { controller, terminal } = openpty();
    close(controller);
    for (
      const [fd, code] of [
        [reader, "ENOTTY"],
        [CLOSED_FD, "EBADF"],
        [terminal, "EIO"],
      ] as const
    ) {
      assertRefused(() => tcgetwinsize(fd), code, "tcgetwinsize");
      const size = { columns: 80, rows: 24 };
      const error = assertRefused(
        () => tcsetwinsize(fd, size),
        code,
        "tcsetwinsize",
      );
      assert(
        error.message.startsWith(
          `Cannot set the window size of terminal ${fd}:`,
        ),
      );
    }
    for (const fd of [reader, writer, terminal]) close(fd);
  }),
);

Deno.test(
  "tcsetwinsize() refuses wrong sizes before it sets anything",
  withoutLeaks(() => {
    const { controller, terminal } = openpty({ columns: 80, rows: 24 });
    for (
      const [size, errorClass] of [
        [undefined, TypeError],
        [{ columns: 80 }, TypeError],
        [{ columns: 80, rows: 65_536 }, RangeError],
      ] as const
    ) {
      assertThrows(
        // @ts-expect-error -- the point is to pass what the types forbid
        () => tcsetwinsize(controller, size),
        errorClass,
      );
    }
    assertEquals(tcgetwinsize(terminal).rows, 24);
    close(terminal);
    close(controller);
  }),
);

Deno.test(
  "openpty() gives two ends that are close-on-exec, at the lowest free numbers",
  withoutLeaks(async () => {
    const free = lowestFree(2);
    const { controller, terminal, name } = openpty();
    assertEquals([controller, terminal], free);
    assert(/^\/dev\/pts\/\d+$/.test(name), name);
    const { fcntl } = descriptorSymbols();
    for (const fd of free) {
      assertEquals(isatty(fd), true);
      assertEquals(fcntl(fd, F_GETFD, 0), FD_CLOEXEC);
      assertEquals(flagsOf(fd) & (O_NONBLOCK | O_RDWR), O_RDWR);
    }
    close(terminal);
    close(controller);
    // It is gone; but some other process may have just been given one of the same name.
    await until(() => !directoryEntries("/dev/pts").includes(basename(name)));
  }),
);

Deno.test(
  "openpty() carries what is typed and what is printed, as a terminal does",
  withoutLeaks(() => {
    const { controller, terminal } = openpty();
    write(controller, "typod\x7f\x7fed\r");
    assertEquals(decode(read(terminal, 100)), "typed\n");
    // The echo: each erased character is wiped out, and Enter moves on to the next line.
    assertEquals(decode(read(controller, 100)), "typod\b \b\b \bed\r\n");
    write(terminal, "printed\n");
    assertEquals(decode(read(controller, 100)), "printed\r\n");
    close(terminal);
    close(controller);
  }),
);

Deno.test(
  "openpty() sets the size of the window, which is zero otherwise",
  withoutLeaks(() => {
    for (
      const [size, expected] of [
        [undefined, { columns: 0, rows: 0, xpixel: 0, ypixel: 0 }],
        [{ columns: 80, rows: 24 }, {
          columns: 80,
          rows: 24,
          xpixel: 0,
          ypixel: 0,
        }],
        [{ columns: 65_535, rows: 1, xpixel: 640, ypixel: 480 }, {
          columns: 65_535,
          rows: 1,
          xpixel: 640,
          ypixel: 480,
        }],
      ] as const
    ) {
      const { controller, terminal } = openpty(size);
      assertEquals(tcgetwinsize(terminal), expected);
      assertEquals(tcgetwinsize(controller), expected);
      close(terminal);
      close(controller);
    }
  }),
);

Deno.test(
  "openpty() refuses a wrong size before it opens anything",
  withoutLeaks(() => {
    const before = openDescriptors();
    for (
      const [size, errorClass, name] of [
        [null, TypeError, "size"],
        [80, TypeError, "size"],
        [{}, TypeError, "columns"],
        [{ columns: 80 }, TypeError, "rows"],
        [{ columns: "80", rows: 24 }, TypeError, "columns"],
        [{ columns: -1, rows: 24 }, RangeError, "columns"],
        [{ columns: 80, rows: 65_536 }, RangeError, "rows"],
        [{ columns: 80, rows: 24, xpixel: 1.5 }, RangeError, "xpixel"],
        [{ columns: 80, rows: 24, ypixel: NaN }, RangeError, "ypixel"],
      ] as const
    ) {
      // @ts-expect-error -- the point is to pass what the types forbid
      const error = assertThrows(() => openpty(size), errorClass);
      assert(error.message.startsWith(`'${name}' must`), error.message);
    }
    assertOpenDescriptors(before);
  }),
);

Deno.test(
  "openpty() leaves nothing open where there is no descriptor for both ends",
  withoutLeaks(() => {
    const raw = reap(forkWith(() => {
      leaveDescriptors(1);
      const error = assertThrows(() => openpty(), PosixError);
      assertEquals([error.code, error.syscall], ["EMFILE", "open"]);
      close(open("/dev/null", O_RDWR)); // the one descriptor is free again
    }));
    assertEquals(raw, 0);
  }),
);

/** Whether this process may mount file systems, in a namespace of its own. */
function canMount(): boolean {
  const CAP_SYS_ADMIN = 21n;
  const [, capabilities] = readText("/proc/self/status")
    .match(/^CapEff:\s*([0-9a-f]+)$/m)!;
  return (BigInt(`0x${capabilities}`) >> CAP_SYS_ADMIN & 1n) === 1n;
}

/** Leaves this process, which must be a forked child, with so many pseudo-terminals; no other one notices. */
function leaveTerminals(count: number): void {
  const CLONE_NEWNS = 0x20000;
  const [MS_BIND, MS_REC, MS_PRIVATE] = [0x1000n, 0x4000n, 0x40000n];
  const mount = (
    what: string,
    where: string,
    type: string,
    flags: bigint,
    options: string,
  ) =>
    libc.mount(
      cString(what, "what"),
      cString(where, "where"),
      cString(type, "type"),
      flags,
      cString(options, "options"),
    );
  const options = `newinstance,ptmxmode=666,max=${count}`;
  assertEquals(libc.unshare(CLONE_NEWNS), 0);
  assertEquals(mount("none", "/", "", MS_REC | MS_PRIVATE, ""), 0);
  assertEquals(mount("devpts", "/dev/pts", "devpts", 0n, options), 0);
  assertEquals(mount("/dev/pts/ptmx", "/dev/ptmx", "", MS_BIND, ""), 0);
}

Deno.test({
  name: `openpty() fails with ENOSPC where no pseudo-terminal is free${
    canMount() ? "" : " (skipped: it takes the capability SYS_ADMIN)"
  }`,
  ignore: !canMount(),
  fn: withoutLeaks(() => {
    const raw = reap(forkWith(() => {
      leaveTerminals(1);
      const { controller, terminal } = openpty();
      const before = openDescriptors();
      const error = assertRefused(openpty, "ENOSPC", "open", "/dev/ptmx");
      assertEquals(
        error.message,
        "Cannot open a pseudo-terminal: open failed with ENOSPC (No space left on device)",
      );
      assertThrows(() => spawnPty("true"), PosixError, "ENOSPC");
      assertOpenDescriptors(before);
      close(controller);
      close(terminal);
      const again = openpty();
      close(again.controller);
      close(again.terminal);
    }));
    assertEquals(raw, 0);
  }),
});

Deno.test(
  "openpty() hangs the terminal up when its controller is closed",
  withoutLeaks(() => {
    const { controller, terminal } = openpty();
    close(controller);
    assertEquals(read(terminal, 10).length, 0);
    assertRefused(() => write(terminal, "x"), "EIO", "write");
    close(terminal);
  }),
);

Deno.test(
  "openpty() gives a controller whose read fails with EIO after what was printed, when the terminal is closed",
  withoutLeaks(() => {
    const { controller, terminal } = openpty();
    write(terminal, "last words");
    close(terminal);
    assertEquals(decode(read(controller, 100)), "last words");
    assertRefused(() => read(controller, 100), "EIO", "read");
    close(controller);
  }),
);

Deno.test(
  "openpty() gives a terminal that cuts a line after 4,095 bytes, and takes no more until it is read",
  withoutLeaks(() => {
    const { controller, terminal } = openpty();
    setNonblock(controller, true);
    const line = "x".repeat(5000);
    write(controller, line);
    write(controller, "\n");
    assertEquals(decode(read(terminal, 10_000)), `${"x".repeat(4095)}\n`);
    close(terminal);
    close(controller);
  }),
);

Deno.test(
  "openpty() a thousand times leaves nothing behind",
  withoutLeaks(() => {
    for (let i = 0; i < 1000; i++) {
      const { controller, terminal } = openpty();
      close(i % 2 === 0 ? controller : terminal);
      close(i % 2 === 0 ? terminal : controller);
    }
  }),
);
