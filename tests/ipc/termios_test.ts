import { descriptorSymbols } from "../../ffi/_symbols.ts";
import { TERMIOS2 } from "../../ffi/layouts.ts";
import {
  BOTHER,
  CBAUD,
  CREAD,
  CRTSCTS,
  CS8,
  ECHO,
  ECHOCTL,
  ECHOE,
  ECHOK,
  ECHOKE,
  ICANON,
  ICRNL,
  IEXTEN,
  ISIG,
  IXON,
  ONLCR,
  OPOST,
  TCGETS,
} from "../../ffi/terminal_constants.ts";
import { close } from "../../ipc/descriptors.ts";
import { O_NONBLOCK, POLLIN, type Termios } from "../../ipc/mod.ts";
import { pipe2 } from "../../ipc/pipes.ts";
import { poll } from "../../ipc/poll.ts";
import { read, write } from "../../ipc/read_write.ts";
import { openpty } from "../../ipc/terminals.ts";
import {
  CONTROL_CHARACTERS,
  makeRaw,
  tcgetattr,
  tcsetattr,
  type TcsetattrWhen,
} from "../../ipc/termios.ts";
import { withoutLeaks } from "../_helpers.ts";
import { evaluate, targets } from "../ffi/_compiler.ts";
import { findProgram, run } from "../ffi/_programs.ts";
import { assertRefused, CLOSED_FD, decode } from "./_helpers.ts";
import { libc } from "./_libc.ts";
import { assert, assertEquals, assertThrows } from "@std/assert";

/** Runs a test with a new pseudo-terminal. */
function withTerminal(
  body: (
    terminal: number,
    controller: number,
    name: string,
  ) => void | Promise<void>,
): () => Promise<void> {
  return withoutLeaks(async () => {
    const { controller, terminal, name } = openpty();
    await body(terminal, controller, name);
    close(terminal);
    close(controller);
  });
}

Deno.test(
  "tcgetattr() gives the modes of a usual terminal for a new one, at both ends",
  withTerminal((terminal, controller) => {
    const modes = tcgetattr(terminal);
    assertEquals(modes, {
      iflag: ICRNL | IXON,
      oflag: OPOST | ONLCR,
      cflag: CS8 | CREAD,
      lflag: ISIG | ICANON | ECHO | ECHOE | ECHOK | ECHOCTL | ECHOKE | IEXTEN,
      line: 0,
      cc: {
        VINTR: 3,
        VQUIT: 28,
        VERASE: 127,
        VKILL: 21,
        VEOF: 4,
        VTIME: 0,
        VMIN: 1,
        VSWTC: 0,
        VSTART: 17,
        VSTOP: 19,
        VSUSP: 26,
        VEOL: 0,
        VREPRINT: 18,
        VDISCARD: 15,
        VWERASE: 23,
        VLNEXT: 22,
        VEOL2: 0,
      },
      ispeed: 38_400,
      ospeed: 38_400,
    });
    assertEquals(tcgetattr(controller), modes);
  }),
);

Deno.test(
  "tcsetattr() sets every mode and character, for both ends to see",
  withTerminal((terminal, controller) => {
    const modes = tcgetattr(terminal);
    const wanted: Termios = {
      ...modes,
      iflag: 0,
      oflag: 0,
      // The operators of JavaScript make it negative.
      cflag: modes.cflag | CRTSCTS,
      lflag: ECHO,
      cc: Object.fromEntries(
        CONTROL_CHARACTERS.map((name, index) => [name, 200 + index]),
      ) as Termios["cc"],
    };
    tcsetattr(terminal, "now", wanted);
    const expected = { ...wanted, cflag: wanted.cflag >>> 0 };
    assertEquals(tcgetattr(terminal), expected);
    assertEquals(tcgetattr(controller), expected);
    tcsetattr(controller, "drain", modes);
    assertEquals(tcgetattr(terminal), modes);
  }),
);

const stty = findProgram("stty");

Deno.test({
  name: `tcsetattr() sets what stty shows${
    stty === null ? " (skipped: no stty on PATH)" : ""
  }`,
  ignore: stty === null,
  fn: withTerminal((terminal, _, name) => {
    const modes = tcgetattr(terminal);
    const { cc } = modes;
    tcsetattr(terminal, "now", {
      ...modes,
      lflag: modes.lflag & ~ECHO,
      cc: { ...cc, VINTR: 1, VSUSP: 0, VEOL2: 2 },
      ospeed: 115_200,
      ispeed: 115_200,
    });
    const shown = run(stty!, "-a", "-F", name).stdout;
    for (
      const part of [
        /^speed 115200 baud/,
        / -echo /,
        /intr = \^A;/,
        /susp = <undef>;/,
        /eol2 = \^B;/,
      ]
    ) assert(part.test(shown), `${part} in ${shown}`);
  }),
});

Deno.test(
  "tcsetattr() sets rates, with a code and without one, equal or not, and keeps codes where there are",
  withTerminal((terminal) => {
    const modes = tcgetattr(terminal);
    for (
      const [ispeed, ospeed] of [
        [9600, 9600],
        [115_200, 115_200],
        [4_000_000, 4_000_000],
        [0, 0],
        [250_000, 250_000],
        [9600, 250_000],
        [250_000, 9600],
        [300, 1200],
        [38_400, 38_400],
      ] as const
    ) {
      tcsetattr(terminal, "now", { ...modes, ispeed, ospeed });
      assertEquals(tcgetattr(terminal), { ...modes, ispeed, ospeed });
    }
    const struct = new DataView(new ArrayBuffer(TERMIOS2.size));
    descriptorSymbols().ioctl(terminal, BigInt(TCGETS), struct);
    const code = struct.getUint32(TERMIOS2.fields.c_cflag, true) & CBAUD;
    assertEquals([code, code === BOTHER], [15, false]);
  }),
);

Deno.test(
  "tcsetattr() discards what was typed with 'flush', and only with that",
  withTerminal((terminal, controller) => {
    const modes = tcgetattr(terminal);
    for (const when of ["now", "drain", "flush"] as const) {
      write(controller, "typed\n");
      assertEquals(poll([{ fd: terminal, events: POLLIN }], 5000).length, 1);
      tcsetattr(terminal, when, modes);
      const [ready] = poll([{ fd: terminal, events: POLLIN }], 0);
      assertEquals(ready === undefined, when === "flush", when);
      if (ready !== undefined) {
        assertEquals(decode(read(terminal, 100)), "typed\n");
      }
    }
  }),
);

Deno.test(
  "tcsetattr() and tcgetattr() fail for what is no terminal, not open, or hung up",
  withTerminal((terminal) => {
    const modes = tcgetattr(terminal);
    const [reader, writer] = pipe2(O_NONBLOCK);
    const hungUp = openpty();
    close(hungUp.controller);
    for (
      const [fd, code] of [
        [reader, "ENOTTY"],
        [CLOSED_FD, "EBADF"],
        [hungUp.terminal, "EIO"],
      ] as const
    ) {
      const get = assertRefused(() => tcgetattr(fd), code, "tcgetattr");
      assert(get.message.startsWith(`Cannot get the modes of terminal ${fd}:`));
      const set = assertRefused(
        () => tcsetattr(fd, "now", modes),
        code,
        "tcsetattr",
      );
      assert(set.message.startsWith(`Cannot set the modes of terminal ${fd}:`));
    }
    close(hungUp.terminal);
    close(reader);
    close(writer);
  }),
);

Deno.test(
  "tcsetattr() refuses wrong arguments before it sets anything",
  withTerminal((terminal) => {
    const modes = tcgetattr(terminal);
    const { cc } = modes;
    for (
      const [when, termios, errorClass, message] of [
        ["soon", modes, TypeError, "'when' is unknown"],
        [0, modes, TypeError, "'when' must be a string"],
        ["now", null, TypeError, "'termios' must be an object"],
        ["now", {}, TypeError, "'termios.cc' must be an object"],
        ["now", { ...modes, lflag: "0" }, TypeError, "'termios.lflag' must be"],
        ["now", { ...modes, iflag: 2 ** 32 }, RangeError, "'termios.iflag'"],
        ["now", { ...modes, line: 256 }, RangeError, "'termios.line' must be"],
        ["now", { ...modes, ospeed: -1 }, RangeError, "'termios.ospeed' must"],
        ["now", { ...modes, cc: { ...cc, VMIN: 256 } }, RangeError, "'termios"],
        ["now", { ...modes, cc: { VINTR: 3 } }, TypeError, "'termios.cc.VQUIT"],
      ] as const
    ) {
      const error = assertThrows(
        () => tcsetattr(terminal, when as TcsetattrWhen, termios as Termios),
        errorClass,
      );
      assert(error.message.startsWith(message), error.message);
    }
    assertEquals(tcgetattr(terminal), modes);
  }),
);

Deno.test(
  "makeRaw() does to all modes what cfmakeraw() does, and leaves its argument alone",
  withoutLeaks(() => {
    for (const [flags, character] of [[0, 0], [0xffff_ffff, 0xff]] as const) {
      const given: Termios = {
        iflag: flags,
        oflag: flags,
        cflag: flags,
        lflag: flags,
        line: 0,
        cc: Object.fromEntries(
          CONTROL_CHARACTERS.map((name) => [name, character]),
        ) as Termios["cc"],
        ispeed: 9600,
        ospeed: 9600,
      };
      const before = structuredClone(given);
      const raw = makeRaw(given);
      assertEquals(given, before);

      // glibc's struct begins like the kernel's: four numbers, a byte, the characters.
      const struct = new Uint8Array(60);
      new Uint32Array(struct.buffer, 0, 4).fill(flags);
      struct.fill(character, 17, 17 + 32);
      libc.cfmakeraw(struct);
      const [iflag, oflag, cflag, lflag] = new Uint32Array(struct.buffer, 0, 4);
      const unsigned = [raw.iflag, raw.oflag, raw.cflag, raw.lflag]
        .map((mode) => mode >>> 0);
      assertEquals(unsigned, [iflag, oflag, cflag, lflag]);
      assertEquals(
        CONTROL_CHARACTERS.map((name) => raw.cc[name]),
        [...struct.subarray(17, 17 + CONTROL_CHARACTERS.length)],
      );
      assertEquals([raw.ispeed, raw.ospeed], [9600, 9600]);
    }
  }),
);

Deno.test(
  "makeRaw() refuses what is no object",
  () => {
    for (const value of [null, undefined, 3]) {
      // @ts-expect-error -- the point is to pass what the types forbid
      assertThrows(() => makeRaw(value), TypeError, "'termios' must be");
    }
  },
);

for (const { compiler, note } of targets) {
  Deno.test({
    name: `control characters are in the order of C's headers on ${note}`,
    ignore: compiler === null,
    fn: withoutLeaks(async () => {
      assertEquals(
        await evaluate(compiler!, ["asm/termbits.h"], CONTROL_CHARACTERS),
        CONTROL_CHARACTERS.map((_, index) => index),
      );
    }),
  });
}
