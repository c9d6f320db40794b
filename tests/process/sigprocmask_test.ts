import { assert, assertEquals, assertThrows } from "@std/assert";
import { PosixError } from "../../ffi/errors.ts";
import { getpid } from "../../process/ids.ts";
import { kill } from "../../process/kill.ts";
import type { Signal } from "../../process/signals.ts";
import { setSignal } from "../../process/set_signal.ts";
import { signals } from "../../process/signal_stream.ts";
import { sigpending, sigprocmask, sigwait } from "../../process/signal_mask.ts";
import {
  forkWith,
  forkWithAsync,
  openDescriptors,
  reap,
  until,
  withoutLeaks,
} from "../_helpers.ts";
import { runProgram } from "../_run_program.ts";
import { has, raise } from "./_signals.ts";

Deno.test(
  "sigprocmask() adds, takes out and replaces, and gives what was blocked before",
  withoutLeaks(() => {
    assertEquals(sigprocmask("SIG_BLOCK", []), []);
    assertEquals(sigprocmask("SIG_BLOCK", ["SIGTERM", "SIGUSR1"]), []);
    assertEquals(sigprocmask("SIG_BLOCK", ["SIGHUP", 10, "SIGHUP"]), [
      "SIGUSR1",
      "SIGTERM",
    ]);
    assertEquals(sigprocmask("SIG_UNBLOCK", ["SIGTERM", "SIGALRM"]), [
      "SIGHUP",
      "SIGUSR1",
      "SIGTERM",
    ]);
    assertEquals(sigprocmask("SIG_SETMASK", ["SIGRTMAX", "SIGHUP"]), [
      "SIGHUP",
      "SIGUSR1",
    ]);
    assertEquals(sigprocmask("SIG_SETMASK", []), ["SIGHUP", "SIGRTMAX"]);
    assertEquals(sigprocmask("SIG_BLOCK", []), []);
  }),
);

Deno.test(
  "sigprocmask() has signals wait, one of each of the old ones and all of the real-time ones",
  withoutLeaks(() => {
    const names: Signal[] = ["SIGTERM", "SIGUSR2", "SIGRTMIN+2"];
    sigprocmask("SIG_BLOCK", names);
    assertEquals(sigpending(), []);
    // To this very thread: what hits another one shows a moment later.
    for (let i = 0; i < 5; i++) {
      for (const signal of [36, 15, 12]) raise(signal);
    }
    assertEquals(sigpending(), ["SIGUSR2", "SIGTERM", "SIGRTMIN+2"]);
    const taken = Array.from(
      { length: 8 },
      () => sigwait(names, { timeout: 0 })?.signal,
    );
    assertEquals<unknown>(taken, [
      "SIGUSR2",
      "SIGTERM",
      ...Array(5).fill("SIGRTMIN+2"),
      undefined,
    ]);
    sigprocmask("SIG_UNBLOCK", names);
  }),
);

Deno.test(
  "sigprocmask() that unblocks a signal which waits has it end the process before it returns",
  withoutLeaks(() => {
    for (const signal of ["SIGTERM", "SIGUSR2", "SIGRTMIN"] as const) {
      const child = forkWith(() => {
        sigprocmask("SIG_BLOCK", [signal]);
        kill(getpid(), signal);
        sigprocmask("SIG_UNBLOCK", [signal]);
        return 7; // too late
      });
      const number = { SIGTERM: 15, SIGUSR2: 12, SIGRTMIN: 34 }[signal];
      assertEquals(reap(child), number);
    }
  }),
);

Deno.test(
  "sigprocmask() leaves each signal as it was: default, ignored or listened to",
  withoutLeaks(async () => {
    const child = forkWith(() => {
      for (const [number, ends] of [[1, 1], [12, 1], [13, 0], [40, 1]]) {
        const grandchild = forkWith(() => {
          sigprocmask("SIG_BLOCK", [number!]);
          assert(has("SigCgt", number!));
          sigprocmask("SIG_UNBLOCK", [number!]);
          assert(!has("SigCgt", number!));
          raise(number!);
        });
        assertEquals(reap(grandchild), number! * ends!, `signal ${number}`);
      }
    });
    assertEquals(reap(child), 0);
    let heard = 0;
    const listener = () => heard++;
    Deno.addSignalListener("SIGUSR2", listener);
    sigprocmask("SIG_BLOCK", ["SIGUSR2"]);
    raise(12);
    await new Promise((resolve) => setTimeout(resolve, 20));
    assertEquals(heard, 0);
    sigprocmask("SIG_UNBLOCK", ["SIGUSR2"]);
    await until(() => heard === 1);
    kill(getpid(), "SIGUSR2");
    await until(() => heard === 2);
    Deno.removeSignalListener("SIGUSR2", listener);
  }),
);

Deno.test(
  "a listener that is added while its signal is blocked hears of it when it is unblocked, and from then on",
  withoutLeaks(async () => {
    const test = async () => {
      let heard = 0;
      const listener = () => heard++;
      sigprocmask("SIG_BLOCK", ["SIGWINCH"]);
      Deno.addSignalListener("SIGWINCH", listener);
      raise(28);
      assertEquals(sigpending(), ["SIGWINCH"]);
      sigprocmask("SIG_UNBLOCK", ["SIGWINCH"]);
      await until(() => heard === 1);
      kill(getpid(), "SIGWINCH");
      await until(() => heard === 2);
      Deno.removeSignalListener("SIGWINCH", listener);
    };
    await test();
    await test();
    assertEquals(reap(await forkWithAsync(test)), 0);
  }),
);

Deno.test(
  "sigprocmask() holds for a forked child as well, which starts with nothing waiting",
  withoutLeaks(() => {
    sigprocmask("SIG_BLOCK", ["SIGTERM"]);
    kill(getpid(), "SIGTERM");
    const child = forkWith(() => {
      assertEquals(sigpending(), []);
      kill(getpid(), "SIGTERM");
      assertEquals(sigpending(), ["SIGTERM"]);
      const grandchild = forkWith(() => {
        assertEquals(sigpending(), []);
        kill(getpid(), "SIGTERM");
        assertEquals(sigprocmask("SIG_SETMASK", []), ["SIGTERM"]);
      });
      assertEquals(reap(grandchild), 15);
      assertEquals(sigwait(["SIGTERM"])?.pid, getpid());
    });
    assertEquals(reap(child), 0);
    assertEquals(sigwait(["SIGTERM"])?.pid, getpid());
    sigprocmask("SIG_UNBLOCK", ["SIGTERM"]);
    const other = forkWith(() => kill(getpid(), "SIGTERM"));
    assertEquals(reap(other), 15);
  }),
);

Deno.test(
  "sigprocmask() takes over the mask that the program was started with, and what waits there",
  withoutLeaks(async () => {
    const { code, stdout, stderr } = await runProgram(
      new URL("_masked_program.ts", import.meta.url),
    );
    assertEquals(stderr, "");
    assertEquals(stdout.trim().split("\n"), [
      "blocked: SIGUSR2 SIGRTMIN",
      "waiting: SIGUSR2",
      "taken: SIGUSR2 5",
      "blocked: SIGUSR2 SIGRTMIN",
    ]);
    assertEquals(code, 0);
  }),
);

Deno.test(
  "sigprocmask() leaves Deno its children though SIGCHLD is blocked, and gives back every descriptor",
  withoutLeaks(() => {
    const before = openDescriptors();
    sigprocmask("SIG_BLOCK", ["SIGCHLD"]);
    const child = forkWith(() => 3);
    // A fork may have discarded a child before: of that one nobody knows.
    let info = sigwait(["SIGCHLD"], { timeout: 5000 });
    while (info !== null && info.pid !== child) {
      info = sigwait(["SIGCHLD"], { timeout: 5000 });
    }
    assertEquals(info?.code, 1); // CLD_EXITED
    assertEquals(reap(child), 3 << 8);
    sigprocmask("SIG_UNBLOCK", ["SIGCHLD"]);
    assertEquals(openDescriptors(), before);
  }),
);

Deno.test("sigprocmask() refuses what cannot be blocked before it does anything", () => {
  const cases: [Signal | number, typeof TypeError, string][] = [
    ["SIGKILL", TypeError, "'signals[1]'"],
    ["SIGSTOP", TypeError, "'signals[1]'"],
    ["SIGSEGV", TypeError, "'signals[1]' must not be a fault"],
    [11, TypeError, "must not be a fault, which SIGSEGV is"],
    [9, TypeError, "which SIGKILL is not"],
    [0, RangeError, "'signals[1]'"],
    [32, RangeError, "'signals[1]'"],
    [65, RangeError, "'signals[1]'"],
    [-1, RangeError, "'signals[1]'"],
    ["SIGTER" as Signal, TypeError, 'did you mean "SIGTERM"'],
  ];
  for (const [signal, type, message] of cases) {
    for (const how of ["SIG_BLOCK", "SIG_UNBLOCK", "SIG_SETMASK"] as const) {
      const error = assertThrows(() => sigprocmask(how, ["SIGUSR2", signal]));
      assert(error instanceof type, String(error));
      assert(error.message.includes(message), error.message);
    }
  }
  assertEquals(sigprocmask("SIG_BLOCK", []), []);
  // @ts-expect-error: no such way
  assertThrows(() => sigprocmask("BLOCK", []), TypeError, "'how'");
  assertThrows(
    // @ts-expect-error: no array
    () => sigprocmask("SIG_BLOCK", "SIGHUP"),
    TypeError,
    "'signals'",
  );
});

Deno.test(
  "signals are neither blocked, caught, waited for nor set by a worker",
  withoutLeaks(() => {
    const child = forkWith(() => {
      Object.assign(globalThis, { WorkerGlobalScope: class {} });
      for (
        const call of [
          () => sigprocmask("SIG_BLOCK", ["SIGUSR1"]),
          () => sigwait(["SIGUSR1"], { timeout: 0 }),
          () => signals("SIGUSR1"),
          () => setSignal("SIGUSR1", "ignore"),
        ]
      ) {
        const error = assertThrows(call, PosixError, "a worker is one thread");
        assertEquals(error.code, "ENOTSUP");
      }
      assert(!has("SigCgt", 10) && !has("SigIgn", 10));
    });
    assertEquals(reap(child), 0);
  }),
);
