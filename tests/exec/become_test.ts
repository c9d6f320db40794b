import {
  assert,
  assertEquals,
  assertMatch,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { fromFileUrl } from "@std/path";
import {
  F_GETFD,
  FD_CLOEXEC,
  O_CLOEXEC,
  SIG_BLOCK,
  SIG_IGN,
  SIG_SETMASK,
} from "../../ffi/constants.ts";
import { SIGACTION, SIGSET } from "../../ffi/layouts.ts";
import { PosixError } from "../../ffi/errors.ts";
import { descriptorSymbols, signalSymbols } from "../../ffi/_symbols.ts";
import { execv, fexecve } from "../../exec/exec.ts";
import { close } from "../../ipc/descriptors.ts";
import { pipe2 } from "../../ipc/pipes.ts";
import { write } from "../../ipc/read_write.ts";
import { SIGNALS } from "../../process/signals.ts";
import {
  directoryEntries,
  openDescriptors,
  readText,
  withoutLeaks,
} from "../_helpers.ts";
import { capture } from "./_capture.ts";

/** A field of `/proc/…/status` that is a set of signals. */
function signalSet(status: string, field: string): bigint {
  return BigInt(`0x${status.match(new RegExp(`${field}:\\s*(\\w+)`))![1]}`);
}

function bit(signal: number): bigint {
  return 1n << BigInt(signal - 1);
}

function sigset(...signals: number[]): Uint8Array<ArrayBuffer> {
  const set = new BigUint64Array(SIGSET.size / 8);
  for (const signal of signals) set[0]! |= bit(signal);
  return new Uint8Array(set.buffer);
}

function block(...signals: number[]): void {
  signalSymbols().pthread_sigmask(SIG_BLOCK, sigset(...signals), null);
}

function setDisposition(signal: number, disposition: number): void {
  const action = new Uint8Array(SIGACTION.size);
  action[SIGACTION.fields.sa_handler] = disposition;
  assertEquals(signalSymbols().sigaction(signal, action, null), 0);
}

/** What the kernel keeps of the disposition of SIGPIPE, and the mask of the calling thread. */
function signalState(): Record<
  "handler" | "blocked" | "flags" | "mask",
  bigint
> {
  const action = new DataView(new ArrayBuffer(SIGACTION.size));
  const mask = new DataView(new ArrayBuffer(SIGSET.size));
  const libc = signalSymbols();
  libc.sigaction(SIGNALS.SIGPIPE, null, new Uint8Array(action.buffer));
  libc.pthread_sigmask(SIG_SETMASK, null, new Uint8Array(mask.buffer));
  const { sa_handler, sa_mask, sa_flags } = SIGACTION.fields;
  // The kernel has 64 signals: glibc leaves the rest of its larger sets as it was.
  return {
    handler: action.getBigUint64(sa_handler, true),
    blocked: action.getBigUint64(sa_mask, true),
    flags: BigInt(action.getUint32(sa_flags, true)),
    mask: mask.getBigUint64(0, true),
  };
}

Deno.test(
  "exec gives SIGPIPE its default back, blocks nothing, and leaves other ignored signals ignored",
  withoutLeaks(() => {
    const { output } = capture(() => {
      setDisposition(SIGNALS.SIGHUP, SIG_IGN);
      setDisposition(SIGNALS.SIGUSR2, SIG_IGN);
      block(SIGNALS.SIGTERM, SIGNALS.SIGPIPE, SIGNALS.SIGRTMAX);
      const before = readText("/proc/thread-self/status");
      assert(signalSet(before, "SigIgn") & bit(SIGNALS.SIGPIPE));
      assert(signalSet(before, "SigBlk") & bit(SIGNALS.SIGTERM));
      write(1, before);
      write(1, "\f");
      execv("/bin/cat", ["cat", "/proc/self/status"]);
    });
    const [before, after] = output.split("\f") as [string, string];
    assertEquals(signalSet(after, "SigBlk"), 0n);
    assertEquals(signalSet(after, "SigCgt"), 0n);
    assertEquals(
      signalSet(after, "SigIgn"),
      signalSet(before, "SigIgn") & ~bit(SIGNALS.SIGPIPE),
    );
    assert(signalSet(after, "SigIgn") & bit(SIGNALS.SIGHUP));
    assert(signalSet(after, "SigIgn") & bit(SIGNALS.SIGUSR2));
  }),
);

Deno.test(
  "exec lets a program end by SIGPIPE",
  withoutLeaks(() => {
    const { raw } = capture(() =>
      execv("/bin/sh", ["sh", "-c", "kill -PIPE $$; exit 1"])
    );
    assertEquals(raw, SIGNALS.SIGPIPE);
  }),
);

Deno.test(
  "exec does not hand a SIGPIPE on that was blocked and ignored",
  withoutLeaks(() => {
    const { raw, output } = capture(() => {
      block(SIGNALS.SIGPIPE);
      const [reader, writer] = pipe2(O_CLOEXEC);
      close(reader);
      assertEquals(
        assertThrows(() => write(writer, "x"), PosixError).code,
        "EPIPE",
      );
      const pending = readText("/proc/thread-self/status");
      assert(signalSet(pending, "SigPnd") & bit(SIGNALS.SIGPIPE));
      execv("/bin/echo", ["echo", "alive"]);
    });
    assertEquals([raw, output], [0, "alive\n"]);
  }),
);

Deno.test(
  "exec that fails puts the disposition of SIGPIPE and the mask back",
  withoutLeaks(() => {
    const mask = sigset();
    signalSymbols().pthread_sigmask(SIG_SETMASK, null, mask);
    try {
      block(SIGNALS.SIGUSR2, SIGNALS.SIGRTMIN);
      const before = signalState();
      assertEquals(before.handler, BigInt(SIG_IGN));
      assert(before.mask & bit(SIGNALS.SIGUSR2));
      assertThrows(() => execv("/nowhere", ["x"]), PosixError, "ENOENT");
      assertEquals(signalState(), before);
      assertThrows(() => fexecve(2 ** 30, ["x"], {}), PosixError, "EBADF");
      assertEquals(signalState(), before);
    } finally {
      signalSymbols().pthread_sigmask(SIG_SETMASK, mask, null);
    }
  }),
);

Deno.test(
  "exec hands on the descriptors that are not close-on-exec, and no other",
  withoutLeaks(() => {
    const inherits = (fd: number) =>
      (descriptorSymbols().fcntl(fd, F_GETFD, 0) & FD_CLOEXEC) === 0;
    const [reader, writer] = pipe2(0);
    const expected = openDescriptors().filter(inherits);
    assert([0, 1, 2, reader, writer].every((fd) => expected.includes(fd)));
    const { output } = capture(() => execv("/bin/ls", ["ls", "/proc/self/fd"]));
    close(reader);
    close(writer);
    // And the one that ls itself has open to look: the lowest that was free.
    let own = 0;
    while (expected.includes(own)) own++;
    assertEquals(
      output.trim().split("\n").map(Number).toSorted((a, b) => a - b),
      [...expected, own].toSorted((a, b) => a - b),
    );
  }),
);

Deno.test(
  "exec lets no descriptor of Deno's own leak",
  withoutLeaks(() => {
    const { output } = capture(() =>
      execv("/bin/sh", ["sh", "-c", "ls -l /proc/self/fd"])
    );
    assertMatch(output, /\b2 -> /);
    // The event loop, and the caches.
    for (const own of ["anon_inode:", ".cache/deno", "_cache_v2"]) {
      assert(!output.includes(own), output);
    }
  }),
);

Deno.test(
  "exec ends all other threads of the process",
  withoutLeaks(() => {
    const threads = directoryEntries("/proc/self/task")
      .filter((name) => /^\d+$/.test(name));
    assert(threads.length > 1);
    const { output } = capture(() =>
      execv("/bin/grep", ["grep", "Threads", "/proc/self/status"])
    );
    assertEquals(output, "Threads:\t1\n");
  }),
);

Deno.test(
  "exec keeps the pid, on the first thread of a program and on another thread under deno test",
  withoutLeaks(() => {
    const deno = (fixture: string, ...args: string[]) => {
      const path = fromFileUrl(new URL(fixture, import.meta.url));
      return capture(() =>
        execv("/proc/self/exe", [
          "deno",
          ...args,
          "--quiet",
          "--no-check",
          "--no-config",
          "--allow-ffi",
          path,
        ])
      );
    };
    const runs = [
      { first: true, run: deno("./_exec_in_program.ts", "run") },
      { first: false, run: deno("./_exec_in_runner.ts", "test") },
    ];
    for (const { first, run } of runs) {
      assertEquals(run.raw, 0);
      assertStringIncludes(run.output, `${first} ${run.pid}\n`);
      assertStringIncludes(run.output, "Threads:\t1\n");
      assertEquals(signalSet(run.output, "SigBlk"), 0n);
      assertEquals(signalSet(run.output, "SigIgn") & bit(SIGNALS.SIGPIPE), 0n);
    }
  }),
);
