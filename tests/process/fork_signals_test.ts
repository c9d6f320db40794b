import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  descriptorSymbols,
  pollOnPool,
  signalSymbols,
} from "../../ffi/_symbols.ts";
import { getpid } from "../../process/ids.ts";
import {
  forkWith,
  forkWithAsync,
  openDescriptors,
  reap,
  sleepsOf,
  until,
  withoutLeaks,
} from "../_helpers.ts";

const SIGUSR1 = 10;
const SIGUSR2 = 12;
const SIGTERM = 15;

/** Counts the signals that its listener was called for, as long as it is in use. */
function counter(signal: Deno.Signal) {
  let count = 0;
  const listener = () => count++;
  Deno.addSignalListener(signal, listener);
  return {
    get count() {
      return count;
    },
    [Symbol.dispose]: () => Deno.removeSignalListener(signal, listener),
  };
}

function raise(signal: number): void {
  signalSymbols().kill(getpid(), signal);
}

/** Two processes that wait for each other, a byte at a time. */
function newPipe(): { wait(): Promise<void>; go(): void; close(): void } {
  const fds = new Int32Array(2);
  descriptorSymbols().pipe2(fds, 0o2004000);
  const byte = new Uint8Array(1);
  return {
    wait: () => until(() => descriptorSymbols().read(fds[0]!, byte, 1n) === 1),
    go: () => void descriptorSymbols().write(fds[1]!, byte, 1n),
    close: () => fds.forEach((fd) => descriptorSymbols().close(fd)),
  };
}

Deno.test(
  "a forked child is told of signals by listeners that it adds itself",
  withoutLeaks(async () => {
    const child = await forkWithAsync(async () => {
      using usr1 = counter("SIGUSR1");
      using usr2 = counter("SIGUSR2");
      raise(SIGUSR1);
      await until(() => usr1.count === 1);
      raise(SIGUSR2);
      await until(() => usr2.count === 1);
      assertEquals(usr1.count, 1);
    });
    assertEquals(reap(child), 0);
  }),
);

Deno.test(
  "a forked child has its parent's listeners called for its own signals, and the parent for its own",
  withoutLeaks(async () => {
    using usr1 = counter("SIGUSR1");
    const ready = newPipe();
    const child = await forkWithAsync(async () => {
      ready.go();
      await until(() => usr1.count === 1);
    });
    await ready.wait();
    signalSymbols().kill(child, SIGUSR1);
    assertEquals(reap(child), 0);
    assertEquals(usr1.count, 0);
    raise(SIGUSR1);
    await until(() => usr1.count === 1);
    ready.close();
  }),
);

Deno.test(
  "a forked child with its parent's listeners waits for none of the parent's threads",
  withoutLeaks(async () => {
    using _ = counter("SIGUSR1");
    // So there is a thread at least that is brought to rest for the fork.
    await pollOnPool(0n, 0n, 1);
    const child = forkWith(() => Math.min(sleepsOf("self"), 255));
    assert(reap(child) >> 8 < 100);
  }),
);

Deno.test(
  "a forked child's children have the listeners of both",
  withoutLeaks(async () => {
    using usr1 = counter("SIGUSR1");
    const child = await forkWithAsync(async () => {
      using usr2 = counter("SIGUSR2");
      const grandchild = await forkWithAsync(async () => {
        raise(SIGUSR1);
        raise(SIGUSR2);
        await until(() => usr1.count === 1 && usr2.count === 1);
      });
      assertEquals(reap(grandchild), 0);
      assertEquals([usr1.count, usr2.count], [0, 0]);
      raise(SIGUSR2);
      await until(() => usr2.count === 1);
    });
    assertEquals(reap(child), 0);
  }),
);

Deno.test(
  "a forked child that removes its last listener for a signal has its default action again, and no descriptor more",
  withoutLeaks(async () => {
    const child = await forkWithAsync(async () => {
      const before = openDescriptors();
      for (let i = 0; i < 3; i++) {
        using term = counter("SIGTERM");
        raise(SIGTERM);
        await until(() => term.count === 1);
      }
      await until(() => openDescriptors().length === before.length);
      raise(SIGTERM);
    });
    assertEquals(reap(child), SIGTERM);
  }),
);

Deno.test(
  "a forked child's listeners do not keep it alive, and do not stop its default signals",
  withoutLeaks(async () => {
    const child = await forkWithAsync(() => {
      Deno.addSignalListener("SIGUSR1", () => {});
      return new Promise(() => setInterval(() => {}, 1000));
    });
    signalSymbols().kill(child, SIGTERM);
    assertEquals(reap(child), SIGTERM);
  }),
);

Deno.test(
  "a signal that arrives while the process forks is lost on neither side",
  withoutLeaks(async () => {
    using usr1 = counter("SIGUSR1");
    const parent = getpid();
    const sender = await forkWithAsync(async () => {
      // For less long than a fork is tried again, however slow the machine: each signal has a thread run.
      for (let i = 0; i < 50; i++) {
        signalSymbols().kill(parent, SIGUSR1);
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
    });
    const statuses: number[] = [];
    let ended: number;
    try {
      for (let i = 0; i < 8; i++) {
        const child = await forkWithAsync(async () => {
          const before = usr1.count;
          raise(SIGUSR1);
          await until(() => usr1.count === before + 1);
        });
        statuses.push(reap(child));
      }
    } finally {
      // Whatever happens: signals that found no listener any more would end the test runner.
      ended = reap(sender);
    }
    assertEquals(ended, 0);
    assertEquals(statuses, Array(8).fill(0));
    // The parent still is told of signals.
    const before = usr1.count;
    raise(SIGUSR1);
    await until(() => usr1.count > before);
    // That may have been an earlier one, and Deno ends a process that gets one after its last listener has gone. It looks for the
    // lower numbers first: who has seen a higher one come twice has none of them before him any more.
    using usr2 = counter("SIGUSR2");
    for (let i = 1; i <= 2; i++) {
      raise(SIGUSR2);
      await until(() => usr2.count === i);
    }
  }),
);

Deno.test(
  "a forked child refuses the listeners that Deno refuses",
  withoutLeaks(async () => {
    const child = await forkWithAsync(async () => {
      await Promise.resolve();
      for (const signal of ["SIGKILL", "SIGSTOP", "SIGSEGV"] as const) {
        assertThrows(
          () => Deno.addSignalListener(signal, () => {}),
          TypeError,
          `Binding to signal '${signal}' is not allowed`,
        );
      }
      // @ts-expect-error: no function
      assertThrows(() => Deno.addSignalListener("SIGINT", 1), TypeError);
      // @ts-expect-error: no such signal
      assertThrows(() => Deno.addSignalListener("SIGNOTHING", () => {}));
      Deno.removeSignalListener("SIGINT", () => {});
    });
    assertEquals(reap(child), 0);
  }),
);
