import { PosixError } from "../../ffi/errors.ts";
import { poll } from "../../ipc/poll.ts";
import { getpid } from "../../process/ids.ts";
import { kill, sigqueue } from "../../process/kill.ts";
import { setSignal } from "../../process/set_signal.ts";
import {
  pause,
  sigpending,
  sigprocmask,
  sigwait,
} from "../../process/signal_mask.ts";
import { signals } from "../../process/signal_stream.ts";
import type { Signal } from "../../process/signals.ts";
import { alarm, setitimer } from "../../process/timers.ts";
import {
  assertOpenDescriptors,
  forkWith,
  forkWithAsync,
  openDescriptors,
  reap,
  until,
  withoutLeaks,
} from "../_helpers.ts";
import { runProgram } from "../_run_program.ts";
import { untilAsleep } from "../ipc/_helpers.ts";
import { blocked, has, raise } from "./_signals.ts";
import {
  assert,
  assertEquals,
  assertGreaterOrEqual,
  assertThrows,
} from "@std/assert";

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
    assertOpenDescriptors(before);
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

const libc = Deno.dlopen("libc.so.6", {
  getuid: { parameters: [], result: "u32" },
}).symbols;

Deno.test(
  "sigwait() tells who has sent a signal, and by which call",
  withoutLeaks(() => {
    using _ = blocked("SIGUSR1");
    const uid = libc.getuid();
    const child = forkWith(() => {
      kill(parent, "SIGUSR1");
    });
    assertEquals(sigwait(["SIGUSR1"], { timeout: 5000 }), {
      signal: "SIGUSR1",
      number: 10,
      code: 0, // SI_USER
      pid: child,
      uid,
      value: null,
    });
    reap(child);
    for (const value of [-(2 ** 31), -1, 0, 2 ** 31 - 1]) {
      sigqueue(getpid(), 10, value);
      assertEquals(sigwait([10]), {
        signal: "SIGUSR1",
        number: 10,
        code: -1, // SI_QUEUE
        pid: getpid(),
        uid,
        value,
      });
    }
    raise(10);
    const raised = sigwait(["SIGUSR1"]);
    assertEquals([raised?.code, raised?.pid], [-6, getpid()]); // SI_TKILL
  }),
);

const parent = getpid();

Deno.test(
  "sigwait() is told of a timer's signal, which comes from no process",
  withoutLeaks(() => {
    using _ = blocked("SIGALRM");
    setitimer("ITIMER_REAL", 0.005);
    const info = sigwait(["SIGALRM"], { timeout: 5000 });
    assertEquals([info?.signal, info?.pid, info?.uid], ["SIGALRM", null, null]);
    assertEquals(info?.code, 0x80); // SI_KERNEL
  }),
);

Deno.test(
  "sigwait() gives null when the time is up, and not before",
  withoutLeaks(() => {
    using _ = blocked("SIGUSR1", "SIGUSR2");
    raise(12);
    for (const timeout of [0, 5, 20.5]) {
      const start = performance.now();
      assertEquals(sigwait(["SIGUSR1"], { timeout }), null);
      assertGreaterOrEqual(performance.now() - start, timeout);
    }
    assertEquals(sigwait(["SIGUSR1", "SIGUSR2"])?.signal, "SIGUSR2");
  }),
);

Deno.test(
  "sigwait() blocks what is not blocked for the time of the wait, and then does what it finds",
  withoutLeaks(async () => {
    const child = await forkWithAsync(async () => {
      const before = openDescriptors();
      const waiter = getpid();
      const sender = await forkWithAsync(async () => {
        await untilAsleep(waiter, "poll");
        kill(waiter, "SIGUSR1");
      });
      assertEquals(
        sigwait(["SIGUSR1", "SIGTERM"], { timeout: 5000 })?.pid,
        sender,
      );
      reap(sender);
      assertEquals(sigpending(), []);
      assertEquals(has("SigCgt", 10), false);
      // In a forked child, the end of the pipe that listeners are served by is seen by the event loop.
      await until(() => openDescriptors().length === before.length);
      assertOpenDescriptors(before);
      kill(getpid(), "SIGUSR1");
    });
    assertEquals(reap(child), 10);
  }),
);

Deno.test(
  "sigwait() loses none of many real-time signals that come from several processes at once",
  withoutLeaks(() => {
    using _ = blocked("SIGRTMIN+3");
    const senders = [1, 2, 3].map((sender) =>
      forkWith(() => {
        for (let i = 0; i < 200; i++) {
          sigqueue(parent, "SIGRTMIN+3", sender * 1000 + i);
        }
      })
    );
    const seen = new Map<number, number[]>(senders.map((pid) => [pid, []]));
    for (let i = 0; i < 600; i++) {
      const info = sigwait(["SIGRTMIN+3"], { timeout: 5000 });
      seen.get(info!.pid!)!.push(info!.value!);
    }
    for (const [index, pid] of senders.entries()) {
      const expected = Array.from(
        { length: 200 },
        (_, i) => (index + 1) * 1000 + i,
      );
      assertEquals(seen.get(pid)!.toSorted((a, b) => a - b), expected);
      assertEquals(reap(pid), 0);
    }
    assertEquals(sigwait(["SIGRTMIN+3"], { timeout: 0 }), null);
  }),
);

Deno.test("sigwait() and sigqueue() check their arguments before any effect", () => {
  assertThrows(() => sigwait([]), RangeError, "'signals'");
  assertThrows(() => sigwait(["SIGKILL"]), TypeError, "'signals[0]'");
  assertThrows(() => sigwait(["SIGUSR1", 64, 65]), RangeError, "'signals[2]'");
  for (const timeout of [-1, NaN, -Infinity]) {
    assertThrows(() => sigwait([1], { timeout }), RangeError, "'timeout'");
  }
  // @ts-expect-error: no number
  assertThrows(() => sigwait([1], { timeout: "1" }), TypeError, "'timeout'");
  assert(!has("SigCgt", 40));
  for (const pid of [0, -1, 2 ** 31, 0.5]) {
    assertThrows(() => sigqueue(pid, 0), RangeError, "'pid'");
  }
  for (const value of [2 ** 31, -(2 ** 31) - 1, 0.5, NaN]) {
    assertThrows(() => sigqueue(parent, 0, value), RangeError, "'value'");
  }
  assertThrows(() => sigqueue(parent, 65), RangeError, "'signal'");
  // @ts-expect-error: no such signal
  assertThrows(() => sigqueue(parent, "SIGNOT"), TypeError, "'signal'");
  sigqueue(parent, 0);
  const error = assertThrows(
    () => sigqueue(2_147_483_647, "SIGTERM", 1),
    PosixError,
    "Cannot send signal SIGTERM to process 2147483647: sigqueue failed",
  );
  assertEquals([error.code, error.syscall], ["ESRCH", "sigqueue"]);
});

Deno.test(
  "pause() returns when a signal comes that somebody listens for, and the listener is called afterwards",
  withoutLeaks(async () => {
    const test = async () => {
      let heard = 0;
      const listener = () => heard++;
      Deno.addSignalListener("SIGALRM", listener);
      const start = performance.now();
      // Again and again: one that came before the call would be missed.
      setitimer("ITIMER_REAL", 0.02, 0.02);
      pause();
      assertGreaterOrEqual(performance.now() - start, 19);
      assertEquals(heard, 0);
      pause();
      await until(() => heard > 0);
      setitimer("ITIMER_REAL", 0);
      // One that Deno is still about to tell of would end the process once nobody listens.
      await new Promise((resolve) => setTimeout(resolve, 20));
      Deno.removeSignalListener("SIGALRM", listener);
      const stream = signals("SIGALRM");
      setitimer("ITIMER_REAL", 0.005, 0.005);
      pause();
      setitimer("ITIMER_REAL", 0);
      assertEquals((await stream.next()).value?.signal, "SIGALRM");
      await stream.return();
    };
    await test();
    assertEquals(reap(await forkWithAsync(test)), 0);
  }),
);

Deno.test(
  "pause() is ended by a signal that ends the process, with listeners for others or without",
  withoutLeaks(async () => {
    const alone = forkWith(() => {
      setitimer("ITIMER_REAL", 0.05);
      pause();
    });
    assertEquals(reap(alone), 14);
    const listening = await forkWithAsync(() => {
      Deno.addSignalListener("SIGUSR1", () => {});
      setitimer("ITIMER_REAL", 0.05);
      pause();
    });
    assertEquals(reap(listening), 14);
    const taken = await forkWithAsync(() => {
      Deno.addSignalListener("SIGALRM", () => {});
      setSignal("SIGALRM", "default");
      setitimer("ITIMER_REAL", 0.05);
      pause();
    });
    assertEquals(reap(taken), 14);
  }),
);

Deno.test(
  "pause() goes on through signals that are blocked or ignored",
  withoutLeaks(async () => {
    const child = await forkWithAsync(() => {
      alarm(20);
      const waiter = getpid();
      sigprocmask("SIG_BLOCK", ["SIGUSR2"]);
      setSignal("SIGHUP", "ignore");
      let heard = false;
      Deno.addSignalListener("SIGUSR1", () => heard = true);
      kill(waiter, "SIGUSR2");
      const sender = forkWith(() => {
        kill(waiter, "SIGHUP");
        kill(waiter, "SIGUSR2");
        // Again and again: one that came before the call would be missed.
        for (let i = 0; i < 5000; i++) {
          kill(waiter, "SIGUSR1");
          poll([], 2);
        }
      });
      pause();
      assertEquals(sigpending(), ["SIGUSR2"]);
      assertEquals(heard, false);
      kill(sender, "SIGKILL");
      reap(sender);
    });
    assertEquals(reap(child), 0);
  }),
);
