import { assert, assertEquals, assertThrows } from "@std/assert";
import { execlp, spawn } from "../../exec/mod.ts";
import {
  close,
  isatty,
  O_NOCTTY,
  O_RDWR,
  open,
  openpty,
  read,
  readableStream,
  tcgetwinsize,
  write,
} from "../../ipc/mod.ts";
import { PosixError } from "../../mod.ts";
import { _exit, forkpty, getpgrp, getpid, getsid } from "../../process/mod.ts";
import { forkWith, openDescriptors, reap, withoutLeaks } from "../_helpers.ts";
import { leaveDescriptors } from "../ipc/_helpers.ts";

/** Forks a child that runs `body` in a terminal, as `forkWith` does; gives what it prints and its raw status. */
async function inTerminal(
  body: (name: string) => number | void | Promise<number | void>,
  play: (controller: number) => void = () => {},
): Promise<{ text: string; raw: number }> {
  const { pid, controller, name } = forkpty({ columns: 80, rows: 24 });
  if (pid === 0) {
    try {
      assertEquals(controller, -1);
      _exit(await body(name) ?? 0);
    } catch (error) {
      write(2, String(error));
    }
    _exit(99);
  }
  play(controller);
  const text = await new Response(readableStream(controller)).text();
  return { text, raw: reap(pid) };
}

Deno.test(
  "forkpty() gives the child a controlling terminal that is its standard streams, in a session of its own",
  withoutLeaks(async () => {
    const { text, raw } = await inTerminal((name) => {
      assertEquals([getsid(), getpgrp()], [getpid(), getpid()]);
      assertEquals([0, 1, 2].map(isatty), [true, true, true]);
      assertEquals(tcgetwinsize(1).columns, 80);
      const own = open("/dev/tty", O_RDWR | O_NOCTTY);
      write(own, `this is ${name}\n`);
    });
    assert(/^this is \/dev\/pts\/\d+\r\n$/.test(text), text);
    assertEquals(raw, 0);
  }),
);

Deno.test(
  "forkpty() leaves the child no other descriptor of the terminal",
  withoutLeaks(async () => {
    const before = openDescriptors().length;
    const { raw } = await inTerminal(() =>
      // One more or less would be the code.
      openDescriptors().length - before
    );
    assertEquals(raw, 0);
  }),
);

Deno.test(
  "forkpty() gives the child a terminal to read from, also through Deno.stdin",
  withoutLeaks(async () => {
    const { text, raw } = await inTerminal(async () => {
      const buffer = new Uint8Array(100);
      const count = await Deno.stdin.read(buffer);
      write(1, `read ${new TextDecoder().decode(buffer.subarray(0, count!))}`);
      assertEquals(Deno.stdin.isTerminal(), true);
    }, (controller) => write(controller, "a line\r"));
    assertEquals(text, "a line\r\nread a line\r\n");
    assertEquals(raw, 0);
  }),
);

Deno.test(
  "forkpty() gives its terminal to programs that the child becomes or starts",
  withoutLeaks(async () => {
    for (
      const body of [
        () => execlp("tty", "tty"),
        async () => (await spawn("tty").status).code,
      ]
    ) {
      const { text, raw } = await inTerminal(body);
      assert(/^\/dev\/pts\/\d+\r\n$/.test(text), text);
      assertEquals(raw, 0);
    }
  }),
);

Deno.test(
  "forkpty() sends the child SIGHUP when its terminal is closed",
  withoutLeaks(() => {
    const { pid, controller } = forkpty();
    if (pid === 0) {
      write(1, "!");
      try {
        for (;;) read(0, 1);
      } finally {
        _exit(99);
      }
    }
    read(controller, 1);
    close(controller);
    assertEquals(reap(pid), 1);
  }),
);

Deno.test(
  "forkpty() leaves nothing open where it fails",
  withoutLeaks(() => {
    const raw = reap(forkWith(() => {
      // Enough for the terminal, and too few for the fork.
      leaveDescriptors(2);
      assertThrows(() => forkpty(), PosixError, "EMFILE");
      const { controller, terminal } = openpty();
      close(controller);
      close(terminal);
    }));
    assertEquals(raw, 0);
    assertThrows(() => forkpty({ columns: -1, rows: 0 }), RangeError);
    // @ts-expect-error -- the point is to pass what the types forbid
    assertThrows(() => forkpty(80), TypeError, "'size' must be an object");
  }),
);
