import {
  assert,
  assertEquals,
  assertGreaterOrEqual,
  assertThrows,
} from "@std/assert";
import { PosixError } from "../../ffi/errors.ts";
import { getpid } from "../../process/ids.ts";
import { kill, sigqueue } from "../../process/kill.ts";
import { setitimer } from "../../process/timers.ts";
import { sigpending, sigwait } from "../../process/signal_mask.ts";
import {
  forkWith,
  forkWithAsync,
  openDescriptors,
  reap,
  until,
  withoutLeaks,
} from "../_helpers.ts";
import { untilAsleep } from "../ipc/_helpers.ts";
import { blocked, has, raise } from "./_signals.ts";

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
      assertEquals(openDescriptors(), before);
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
