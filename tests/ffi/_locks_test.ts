import {
  type FutexWait,
  futexWait,
  futexWaitAsync,
  futexWake,
} from "../../ffi/_locks.ts";
import { mapMemory, mappingOf, unmapMemory } from "../../ffi/_memory.ts";
import { signalSymbols } from "../../ffi/_symbols.ts";
import {
  MAP_ANONYMOUS,
  MAP_SHARED,
  PROT_READ,
  PROT_WRITE,
} from "../../ffi/constants.ts";
import { forkWith, reap, until, withoutLeaks } from "../_helpers.ts";
import { letInterrupt, SIGUSR1 } from "../ipc/_helpers.ts";
import { runDeno } from "./_programs.ts";
import { assert, assertEquals, assertLess, assertThrows } from "@std/assert";

/** Runs a test with 1024 words of shared memory. */
function withWords(
  body: (words: Int32Array<ArrayBuffer>) => void | Promise<void>,
): () => Promise<void> {
  return withoutLeaks(async () => {
    const flags = MAP_SHARED | MAP_ANONYMOUS;
    const buffer = mapMemory(-1, 4096, PROT_READ | PROT_WRITE, flags);
    try {
      await body(new Int32Array(buffer));
    } finally {
      unmapMemory(buffer);
    }
  });
}

/** Wakes the word until somebody was there to be woken. */
function wakeOne(words: Int32Array, index: number): Promise<void> {
  return until(() => futexWake(words, index, 1) === 1);
}

const OUTCOMES = ["woken", "changed", "timed-out", "cancelled"];

Deno.test(
  "futexWait() sleeps until another process wakes the word",
  withWords(async (words) => {
    words[7] = -5;
    const child = forkWith(() => OUTCOMES.indexOf(futexWait(words, 7, -5)));
    assertEquals(futexWake(words, 6, 1), 0);
    await wakeOne(words, 7);
    assertEquals(reap(child), OUTCOMES.indexOf("woken") << 8);
  }),
);

Deno.test(
  "futexWait() does not sleep where the word is not as expected",
  withWords((words) => {
    words[3] = 1;
    assertEquals(futexWait(words, 3, 2), "changed");
    assertEquals(futexWait(words, 3, 2, 10_000), "changed");
  }),
);

Deno.test(
  "futexWait() ends after its time",
  withWords((words) => {
    const start = performance.now();
    assertEquals(futexWait(words, 0, 0, 20.5), "timed-out");
    const elapsed = performance.now() - start;
    assert(elapsed >= 20.4 && elapsed < 2000, `${elapsed} ms`);
    assertEquals(futexWait(words, 0, 0, 0), "timed-out");
    assertEquals(futexWait(words, 0, 0, -3), "timed-out");
  }),
);

Deno.test(
  "futexWait() goes on after a signal, and counts the time from its start",
  withWords(async (words) => {
    const child = forkWith(() => {
      letInterrupt(SIGUSR1);
      Atomics.store(words, 1, 1);
      const start = performance.now();
      const outcome = futexWait(words, 0, 0, 60);
      assertEquals(outcome, "timed-out");
      assertLess(performance.now() - start, 1000);
      assertEquals(futexWait(words, 0, 0), "woken");
    });
    await until(() => Atomics.load(words, 1) === 1);
    for (let round = 0; round < 10; round++) {
      signalSymbols().kill(child, SIGUSR1);
      await new Promise((resolve) => setTimeout(resolve, 8));
    }
    await wakeOne(words, 0);
    assertEquals(reap(child), 0);
  }),
);

Deno.test("futexWait(), futexWake() and futexWaitAsync() throw where the memory is gone", () => {
  const buffer = mapMemory(-1, 64, PROT_READ, MAP_SHARED | MAP_ANONYMOUS);
  const words = new Int32Array(buffer);
  unmapMemory(buffer);
  assertThrows(() => futexWait(words, 0, 0), TypeError, "detached");
  assertThrows(() => futexWake(words, 0, 1), TypeError, "detached");
  assertThrows(() => futexWaitAsync(words, 0, 0), TypeError, "detached");
});

Deno.test(
  "futexWaitAsync() is woken by another process while the event loop goes on",
  withWords(async (words) => {
    const wait = futexWaitAsync(words, 9, 0);
    const child = forkWith(() => {
      const deadline = performance.now() + 10_000;
      while (futexWake(words, 9, 1) === 0) {
        if (performance.now() > deadline) return 1;
      }
    });
    let ticks = 0;
    const ticking = setInterval(() => ticks++, 1);
    assertEquals(await wait.outcome, "woken");
    clearInterval(ticking);
    assertEquals(reap(child), 0);
  }),
);

Deno.test(
  "futexWaitAsync() tells a word that is not as expected from time that is over",
  withWords(async (words) => {
    assertEquals(await futexWaitAsync(words, 0, 1).outcome, "changed");
    const start = performance.now();
    assertEquals(await futexWaitAsync(words, 0, 0, 15).outcome, "timed-out");
    assert(performance.now() - start >= 15);
  }),
);

Deno.test(
  "futexWaitAsync() ends soon when it is cancelled",
  withWords(async (words) => {
    for (let round = 0; round < 20; round++) {
      const wait = futexWaitAsync(words, 0, 0);
      if (round % 2 === 1) {
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
      const start = performance.now();
      wait.cancel();
      wait.cancel();
      assertEquals(await wait.outcome, "cancelled");
      assertLess(performance.now() - start, 500);
      wait.cancel();
    }
  }),
);

Deno.test(
  "futexWaitAsync() keeps the memory mapped while its thread sleeps on it",
  withoutLeaks(async () => {
    const flags = MAP_SHARED | MAP_ANONYMOUS;
    const buffer = mapMemory(-1, 4096, PROT_READ | PROT_WRITE, flags);
    const words = new Int32Array(buffer);
    const { address, bytes } = mappingOf(buffer);
    const wait = futexWaitAsync(words, 0, 0, 30);
    unmapMemory(buffer);
    const refused = await wait.outcome.then(() => "ended", () => "refused");
    assertEquals(refused, "refused");
    // Whatever is mapped next may take the same place, which it could not while the old one was there.
    const again = mapMemory(-1, bytes, PROT_READ, flags);
    assertEquals(mappingOf(again).address, address);
    unmapMemory(again);
  }),
);

Deno.test(
  "futexWaitAsync() keeps the program alive only if it is to",
  withoutLeaks(() => {
    const { stdout, status } = runDeno("_futex_program.ts", [], [
      "--allow-ffi",
    ]);
    assertEquals([stdout, status], ["timed-out\n", 0]);
  }),
);

Deno.test(
  "fork() works while a wait is pending, which the child has no part in",
  withWords(async (words) => {
    const waits: FutexWait[] = [
      futexWaitAsync(words, 0, 0),
      futexWaitAsync(words, 1, 0, 10_000),
    ];
    const pids = [1, 2, 3].map(() =>
      forkWith(() => {
        // Memory is let go of at once: the parent's threads do not pin it here.
        unmapMemory(words.buffer);
        return mapMemory(
          -1,
          4096,
          PROT_READ,
          MAP_SHARED | MAP_ANONYMOUS,
        ).byteLength >> 12;
      })
    );
    for (const pid of pids) assertEquals(reap(pid), 1 << 8);
    await wakeOne(words, 0);
    await wakeOne(words, 1);
    for (const wait of waits) assertEquals(await wait.outcome, "woken");
  }),
);
