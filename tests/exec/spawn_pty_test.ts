import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { type PtyProcess, spawnPty } from "../../exec/mod.ts";
import { F_GETFD } from "../../ffi/constants.ts";
import { descriptorSymbols } from "../../ffi/_symbols.ts";
import {
  close,
  ECHO,
  makeRaw,
  pipe,
  tcgetattr,
  tcgetwinsize,
  writeAll,
} from "../../ipc/mod.ts";
import { PosixError } from "../../mod.ts";
import { forkChild, getpgid, getsid, kill } from "../../process/mod.ts";
import {
  assertOpenDescriptors,
  forkWith,
  openDescriptors,
  reap,
  withoutLeaks,
} from "../_helpers.ts";
import { leaveDescriptors, untilAsleep } from "../ipc/_helpers.ts";
import { Dialogue } from "./_dialogue.ts";

Deno.test(
  "spawnPty() gives the program a controlling terminal that is its standard streams, in a session of its own",
  withoutLeaks(async () => {
    const script =
      "tty; test -t 0 && test -t 1 && test -t 2 && echo three; echo hello > /dev/tty; read line";
    const pty = spawnPty("sh", ["-c", script]);
    await using dialogue = new Dialogue(pty);
    await dialogue.until(/hello\r\n/);
    assertEquals(dialogue.text, `${pty.name}\r\nthree\r\nhello\r\n`);
    assertEquals([getsid(pty.pid), getpgid(pty.pid)], [pty.pid, pty.pid]);
    await dialogue.type("\r");
    assertEquals((await dialogue.end()).code, 0);
  }),
);

Deno.test(
  "spawnPty() gives the program no descriptor of the terminal but the three, and those that are asked for",
  withoutLeaks(async () => {
    const pty = spawnPty("ls", ["/proc/self/fd"], { fds: { 5: 0 } });
    // The last is that of the listing itself.
    assertEquals((await pty.text()).split(/\s+/).filter(Boolean), [
      "0",
      "1",
      "2",
      "3",
      "5",
    ]);
  }),
);

Deno.test(
  "spawnPty() starts with the size that is given, or 80 × 24",
  withoutLeaks(async () => {
    for (
      const [options, size] of [
        [{}, "24 80"],
        [{ columns: 132, rows: 43 }, "43 132"],
        [{ rows: 0, columns: 65_535 }, "0 65535"],
      ] as const
    ) {
      const pty = spawnPty("stty", ["size"], options);
      assertEquals((await pty.text()).trim(), size);
    }
  }),
);

Deno.test(
  "resize() of a PtyProcess sends SIGWINCH if the size has changed",
  withoutLeaks(async () => {
    const script =
      "trap 'stty size' WINCH; sleep 60 & echo ready; while :; do wait; done";
    await using pty = spawnPty("sh", ["-c", script]);
    await using dialogue = new Dialogue(pty);
    await dialogue.until(/ready/);
    pty.resize({ columns: 80, rows: 24 }); // as it is
    pty.resize({ columns: 100, rows: 50 });
    await dialogue.until(/50 100\r\n/);
    pty.resize({ columns: 101, rows: 51, xpixel: 640, ypixel: 480 });
    await dialogue.until(/51 101\r\n/);
    assertEquals(dialogue.text, "ready\r\n50 100\r\n51 101\r\n");
  }),
);

Deno.test(
  "resize() of a PtyProcess fails with EBADF after the end, and refuses wrong sizes before",
  withoutLeaks(async () => {
    const pty = spawnPty("true");
    for (
      const [size, errorClass] of [
        [null, TypeError],
        [{ columns: 80 }, TypeError],
        [{ columns: -1, rows: 24 }, RangeError],
      ] as const
    ) {
      // @ts-expect-error -- the point is to pass what the types forbid
      assertThrows(() => pty.resize(size), errorClass);
    }
    await pty.text();
    for (
      const call of [
        () => pty.resize({ columns: 80, rows: 24 }),
        () => pty.controller,
      ]
    ) {
      const error = assertThrows(call, PosixError);
      assertEquals(
        [error.code, error.message.includes("which is closed")],
        ["EBADF", true],
      );
    }
  }),
);

Deno.test(
  "spawnPty() has the keys of a terminal send signals and end input",
  withoutLeaks(async () => {
    for (
      const [key, signal] of [
        ["\x03", "SIGINT"],
        ["\x1c", "SIGQUIT"],
      ] as const
    ) {
      const pty = spawnPty("sh", ["-c", "echo ready; exec sleep 60"]);
      await using dialogue = new Dialogue(pty);
      await dialogue.until(/ready/);
      await dialogue.type(key);
      assertEquals((await dialogue.end()).signal, signal);
    }
    const pty = spawnPty("cat");
    await using dialogue = new Dialogue(pty);
    await dialogue.ask("line", /line\r\nline\r\n/);
    await dialogue.type("\x04");
    assertEquals((await dialogue.end()).code, 0);
  }),
);

Deno.test(
  "spawnPty() in raw mode passes every byte as it is, both ways",
  withoutLeaks(async () => {
    await using pty = spawnPty("cat", [], { modes: makeRaw });
    assertEquals(tcgetattr(pty.controller).lflag & ECHO, 0);
    const bytes = Uint8Array.from({ length: 256 }, (_, index) => index);
    const writer = pty.writable.getWriter();
    await writer.write(bytes);
    const received: number[] = [];
    const reader = pty.readable.getReader();
    while (received.length < 256) {
      received.push(...(await reader.read()).value!);
    }
    assertEquals(received, [...bytes]);
  }),
);

Deno.test(
  "spawnPty() carries megabytes, each byte in its place",
  withoutLeaks(async () => {
    const pty = spawnPty("seq", ["300000"], { modes: makeRaw });
    const expected = Array.from({ length: 300_000 }, (_, i) => `${i + 1}\n`)
      .join("");
    const text = await pty.text();
    assertEquals(text.length, expected.length);
    assert(text === expected);
  }),
);

Deno.test(
  "readable of a PtyProcess has readers with buffers of their own, of any size",
  withoutLeaks(async () => {
    const pty = spawnPty("seq", ["20000"], { modes: makeRaw });
    const reader = pty.readable.getReader({ mode: "byob" });
    const decoder = new TextDecoder();
    let text = "";
    for (let size = 1;; size = size * 3 % 100_003) {
      const { value, done } = await reader.read(new Uint8Array(size));
      if (done) break;
      text += decoder.decode(value);
    }
    const expected = Array.from({ length: 20_000 }, (_, i) => `${i + 1}\n`)
      .join("");
    assertEquals(text.length, expected.length);
    assert(text === expected);
    assertEquals((await pty.status).code, 0);
  }),
);

Deno.test(
  "spawnPty() gives what was printed before the end, though nobody has read until then",
  withoutLeaks(async () => {
    const pty = spawnPty("sh", ["-c", "seq 500; exit 3"]);
    assertEquals((await pty.status).code, 3);
    const text = await pty.text();
    assertEquals(text.split("\r\n").length, 501);
    assert(text.endsWith("499\r\n500\r\n"));
  }),
);

Deno.test(
  "spawnPty() ends the output when the program closes its terminal, and lets the program go on until it is hung up",
  withoutLeaks(async () => {
    const [reader, writer] = pipe();
    const pty = spawnPty("sh", [
      "-c",
      "echo bye; exec <&- >&- 2>&-; read line <&3; exit 7",
    ], { fds: { 3: reader } });
    close(reader);
    assertEquals(await new Response(pty.readable).text(), "bye\r\n");
    writeAll(writer, "go on\n");
    close(writer);
    assertEquals((await pty.status).code, 7);
    const typing = pty.writable.getWriter();
    const error = await assertRejects(
      () => typing.write(new Uint8Array(1)),
      PosixError,
    );
    assertEquals(error.code, "EBADF");

    const lasting = spawnPty("sh", ["-c", "exec <&- >&- 2>&-; exec sleep 60"]);
    await new Response(lasting.readable).text();
    await lasting[Symbol.asyncDispose]();
    assertEquals((await lasting.status).signal, "SIGHUP");
  }),
);

Deno.test(
  "spawnPty() ends the output when the program is killed",
  withoutLeaks(async () => {
    const pty = spawnPty("sleep", ["60"]);
    const text = pty.text();
    pty.kill("SIGKILL");
    assertEquals(await text, "");
    assertEquals((await pty.status).signal, "SIGKILL");
  }),
);

Deno.test(
  "spawnPty() keeps the output open for a grandchild that has outlived the program, until that ends",
  withoutLeaks(async () => {
    const script = "trap '' HUP; sleep 60 & echo pid $!";
    const pty = spawnPty("sh", ["-c", script]);
    await using dialogue = new Dialogue(pty);
    const [, pid] = await dialogue.until(/pid (\d+)\r\n/);
    await pty.status;
    pty.resize({ columns: 1, rows: 1 }); // still open
    kill(Number(pid), "SIGKILL");
    await dialogue.end();
  }),
);

Deno.test(
  "spawnPty() holds back a program whose output nobody reads, which can be ended all the same",
  withoutLeaks(async () => {
    const pty = spawnPty("yes");
    await untilAsleep(pty.pid, "write");
    await pty[Symbol.asyncDispose]();
    assertEquals((await pty.status).signal, "SIGHUP");
  }),
);

Deno.test(
  "spawnPty() holds back a writer whose input nobody reads, and rejects it when the terminal is closed",
  withoutLeaks(async () => {
    const pty = spawnPty("sleep", ["60"], { modes: makeRaw });
    const writer = pty.writable.getWriter();
    let settled = false;
    const writing = writer.write(new Uint8Array(1_000_000))
      .finally(() => settled = true);
    const refused = assertRejects(() => writing, PosixError);
    await new Promise((resolve) => setTimeout(resolve));
    assertEquals(settled, false);
    await pty[Symbol.asyncDispose]();
    assertEquals((await refused).code, "EBADF");
  }),
);

Deno.test(
  "spawnPty() sends SIGHUP when its output is cancelled",
  withoutLeaks(async () => {
    const pty = spawnPty("sleep", ["60"]);
    await pty.readable.cancel();
    assertEquals((await pty.status).signal, "SIGHUP");
  }),
);

Deno.test(
  "await using ends a PtyProcess that ignores SIGTERM, and one that ignores all it can",
  withoutLeaks(async () => {
    for (
      const [signals, expected] of [
        ["TERM", "SIGHUP"],
        ["HUP TERM", "SIGKILL"],
      ] as const
    ) {
      let status;
      {
        const script = `trap '' ${signals}; echo ready; exec sleep 60`;
        await using pty = spawnPty("sh", ["-c", script], { killGrace: 50 });
        await new Dialogue(pty).until(/ready/);
        status = pty.status;
      }
      assertEquals((await status).signal, expected);
    }
  }),
);

Deno.test(
  "spawnPty() ends the program when its time is over",
  withoutLeaks(async () => {
    const pty = spawnPty("sleep", ["60"], { timeout: 20 });
    assertEquals(await pty.text(), "");
    const { signal, timedOut } = await pty.status;
    assertEquals({ signal, timedOut }, { signal: "SIGTERM", timedOut: true });
  }),
);

Deno.test(
  "spawnPty() works with options that take a fork",
  withoutLeaks(async () => {
    const pty = spawnPty("sh", ["-c", "tty; umask; : > /dev/tty && echo ok"], {
      umask: 0o27,
    });
    const { name } = pty;
    assertEquals(await pty.text(), `${name}\r\n0027\r\nok\r\n`);
  }),
);

Deno.test(
  "spawnPty() leaves nothing behind where the program cannot be run",
  withoutLeaks(() => {
    const before = openDescriptors();
    for (
      const [file, options, code] of [
        ["no-such-program", {}, "ENOENT"],
        ["/", {}, "EACCES"],
        ["true", { cwd: "/no/such/directory" }, "ENOENT"],
        ["true", { fds: { 3: 1_000_000 } }, "EBADF"],
      ] as const
    ) {
      const error = assertThrows(() => spawnPty(file, [], options), PosixError);
      assertEquals(error.code, code);
      assertOpenDescriptors(before);
    }
  }),
);

Deno.test(
  "spawnPty() leaves nothing behind where there are too few descriptors",
  withoutLeaks(() => {
    const raw = reap(forkWith(() => {
      const { fcntl } = descriptorSymbols();
      const open = () =>
        Array.from({ length: 200 }, (_, fd) => fd)
          .filter((fd) => fcntl(fd, F_GETFD, 0) !== -1);
      for (let free = 4; free >= 1; free--) {
        leaveDescriptors(free);
        const before = open();
        const error = assertThrows(() => spawnPty("true"), PosixError);
        assertEquals(error.code, "EMFILE");
        assertEquals(open(), before);
      }
    }));
    assertEquals(raw, 0);
  }),
);

Deno.test(
  "spawnPty() refuses wrong arguments before it opens anything",
  withoutLeaks(() => {
    const before = openDescriptors();
    for (
      const [options, message] of [
        [null, "'options' must be an object"],
        [{ columns: "80" }, "'columns' must be a number"],
        [{ modes: "raw" }, "'modes' must be a function"],
        [{ modes: () => null }, "'termios' must be an object"],
        [{ stdin: "null" }, "'stdin' must not be given"],
        [{ stdout: "piped" }, "'stdout' must not be given"],
        [{ stderr: "inherit" }, "'stderr' must not be given"],
        [{ newSession: true }, "'newSession' must not be given"],
        [{ processGroup: 0 }, "'processGroup' must not be given"],
      ] as const
    ) {
      const error = assertThrows(
        // @ts-expect-error -- the point is to pass what the types forbid
        () => spawnPty("true", [], options),
        TypeError,
      );
      assert(error.message.startsWith(message), error.message);
    }
    assertThrows(
      () => spawnPty("true", [], { rows: 65_536 }),
      RangeError,
      "'rows' must be an integer from 0 to 65535",
    );
    const signal = AbortSignal.abort(new Error("too late"));
    assertThrows(() => spawnPty("true", [], { signal }), Error, "too late");
    assertOpenDescriptors(before);
  }),
);

Deno.test(
  "spawnPty() keeps the terminal from children that are forked later, also while a read is pending",
  withoutLeaks(async () => {
    const pty = spawnPty("cat");
    const text = pty.text();
    const child = await forkChild(() => new Promise(() => {}));
    assertEquals(tcgetwinsize(pty.controller).columns, 80);
    await pty[Symbol.asyncDispose]();
    assertEquals((await pty.status).signal, "SIGHUP");
    assertEquals(await text, "");
    child.kill("SIGKILL");
    await child.status;
  }),
);

Deno.test(
  "spawnPty() fifty times at once leaves nothing behind",
  withoutLeaks(async () => {
    const ptys: PtyProcess[] = [];
    for (let i = 0; i < 50; i++) {
      ptys.push(spawnPty("sh", ["-c", `echo ${i}; exit ${i}`]));
    }
    assertEquals(new Set(ptys.map((pty) => pty.name)).size, 50);
    for (const [i, pty] of ptys.entries()) {
      assertEquals(await pty.text(), `${i}\r\n`);
      assertEquals((await pty.status).code, i);
    }
  }),
);

Deno.test(
  "a PtyProcess cannot be made by hand",
  async () => {
    const { PtyProcess } = await import("../../exec/mod.ts");
    assertThrows(
      // @ts-expect-error -- the point is to pass what the types forbid
      () => new PtyProcess({}, {}, {}),
      TypeError,
      "Illegal constructor",
    );
  },
);
