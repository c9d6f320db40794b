import { assert, assertEquals, assertThrows } from "@std/assert";
import { onForkedChild } from "../../ffi/_after_fork.ts";
import { CallList, callMemory, symbolAddresses } from "../../ffi/_call_list.ts";
import { cString } from "../../ffi/_arguments.ts";
import {
  descriptorSymbols,
  forkSymbols,
  futexWaitOnPool,
  mappingSymbols,
  pollOnPool,
  processSymbols,
  signalSymbols,
} from "../../ffi/_symbols.ts";
import { PoolPoll } from "../../ffi/_pool_poll.ts";
import {
  MAP_ANONYMOUS,
  MAP_PRIVATE,
  POLLIN,
  PROT_READ,
  PROT_WRITE,
  SYS_futex,
} from "../../ffi/constants.ts";
import { PosixError } from "../../ffi/errors.ts";
import { AGAIN, Crossing } from "../../process/_fork/crossing.ts";
import { poolThreads } from "../../process/_fork/pool_threads.ts";
import { Rest } from "../../process/_fork/rest.ts";
import { AddressSpace } from "../../process/_fork/snapshot.ts";
import { spawn } from "../../exec/spawn.ts";
import { v8Workers } from "../../process/_fork/v8_workers.ts";
import { _exit } from "../../process/_exit.ts";
import { fork } from "../../process/fork.ts";
import { setrlimit } from "../../process/limits.ts";
import {
  assertOpenDescriptors,
  directoryEntries,
  forkWith,
  forkWithAsync,
  openDescriptors,
  readText,
  reap,
  sleepsOf,
  until,
  withoutLeaks,
} from "../_helpers.ts";
import { libc } from "../_libc.ts";
import { assertProgramSays } from "../_run_program.ts";

const MANY = new URL("./_many_forks_program.ts", import.meta.url);
const EARLY = new URL("./_early_ends_program.ts", import.meta.url);
const TASK = new URL("./_task_at_fork_program.ts", import.meta.url);
const FAULTS = new URL("./_faults_of_children_program.ts", import.meta.url);
const SEVERAL = new URL("./_forks_of_one_turn_program.ts", import.meta.url);

const MADV_DONTFORK = 10;

/** Does something that takes the event loop and a thread of Deno's pool: the two things a bare fork leaves broken. */
async function useEventLoopAndPool(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 1));
  assertEquals(await pollOnPool(0n, 0n, 1), 0);
}

/** Has the pool make 16 threads: each is held until all are there. */
async function takeThreads(): Promise<void> {
  const calls = Array.from({ length: 16 }, () => pollOnPool(0n, 0n, 30));
  assertEquals(await Promise.all(calls), calls.map(() => 0));
}

function threads(): number {
  return directoryEntries("/proc/self/task").length - 2;
}

function statusMask(field: string): bigint {
  const line = new RegExp(`^${field}:\\s*([0-9a-f]+)`, "m");
  return BigInt(`0x${line.exec(readText("/proc/self/status"))![1]}`);
}

Deno.test(
  "fork() gives the parent the pid of a child that it can wait for",
  withoutLeaks(() => {
    for (let code = 0; code < 5; code++) {
      assertEquals(reap(forkWith(() => code)), code << 8);
    }
  }),
);

Deno.test(
  "fork() gives 0 to a child whose parent is this process",
  withoutLeaks(() => {
    const parent = processSymbols().getpid();
    const child = forkWith(() => {
      assertEquals(processSymbols().getppid(), parent);
      assert(processSymbols().getpid() !== parent);
    });
    assert(child > 0);
    assertEquals(reap(child), 0);
  }),
);

Deno.test(
  "fork() copies memory: each side changes its own",
  withoutLeaks(() => {
    let number = 100;
    const child = forkWith(() => number += 10);
    number += 20;
    assertEquals(reap(child), 110 << 8);
    assertEquals(number, 120);
  }),
);

Deno.test(
  "fork() makes a child with timers and a thread pool of its own",
  withoutLeaks(async () => {
    for (let i = 0; i < 10; i++) {
      assertEquals(reap(await forkWithAsync(useEventLoopAndPool)), 0);
      await useEventLoopAndPool();
    }
  }),
);

Deno.test(
  "fork() leaves the parent's event loop alone while the child uses its own",
  withoutLeaks(async () => {
    const child = await forkWithAsync(async () => {
      for (let i = 0; i < 20; i++) await useEventLoopAndPool();
    });
    for (let i = 0; i < 20; i++) await useEventLoopAndPool();
    assertEquals(reap(child), 0);
  }),
);

Deno.test(
  "fork() lets a pending call of the parent come back there, and there alone",
  withoutLeaks(async () => {
    const ends = new Int32Array(2);
    descriptorSymbols().pipe2(ends, 0);
    const poll = new PoolPoll();
    let settled = false;
    const pending = poll.start([{ fd: ends[0]!, events: POLLIN }]).then(
      (count) => {
        settled = true;
        return count;
      },
    );
    const child = await forkWithAsync(async () => {
      await useEventLoopAndPool();
      assert(!settled);
    });
    assertEquals(reap(child), 0);
    descriptorSymbols().write(ends[1]!, new Uint8Array(1), 1n);
    assertEquals(await pending, 1);
    poll.close();
    for (const fd of ends) descriptorSymbols().close(fd);
  }),
);

Deno.test(
  "fork() works in a child, and in that one's child",
  withoutLeaks(async () => {
    const child = await forkWithAsync(async () => {
      await useEventLoopAndPool();
      const grandchild = await forkWithAsync(async () => {
        await useEventLoopAndPool();
        return reap(forkWith(() => 7)) >> 8;
      });
      return (reap(grandchild) >> 8) + 1;
    });
    assertEquals(reap(child), 8 << 8);
  }),
);

Deno.test(
  "fork() has a child's pool count none of its ancestors' threads, which it has not",
  withoutLeaks(async () => {
    // Three generations would reach the limit of 32.
    const child = await forkWithAsync(async () => {
      await takeThreads();
      const grandchild = await forkWithAsync(async () => {
        await takeThreads();
        return reap(await forkWithAsync(takeThreads));
      });
      return reap(grandchild);
    });
    assertEquals(reap(child), 0);
  }),
);

Deno.test(
  "fork() makes eight children that run at once",
  withoutLeaks(async () => {
    const children: number[] = [];
    for (let code = 0; code < 8; code++) {
      children.push(
        await forkWithAsync(async () => {
          await useEventLoopAndPool();
          return code;
        }),
      );
    }
    assertEquals(
      children.map(reap),
      [0, 1, 2, 3, 4, 5, 6, 7].map((n) => n << 8),
    );
  }),
);

Deno.test(
  "fork() gives the child event loops and wakers of its own",
  withoutLeaks(() => {
    const wakers = () =>
      openDescriptors().flatMap((fd) =>
        /^eventfd-id: *(\d+)$/m.exec(readText(`/proc/self/fdinfo/${fd}`))
          ?.[1] ??
          []
      );
    const watched = () =>
      openDescriptors().flatMap((fd) =>
        readText(`/proc/self/fdinfo/${fd}`).match(
          /^tfd: *\d+ events: *\w+/gm,
        ) ??
          []
      );
    const before = { wakers: wakers(), watched: watched() };
    assert(before.wakers.length > 0);
    const child = forkWith(() => {
      // Connections stay the parent's; the waker and the signal socket of each loop, at both its numbers, are the child's.
      const now = watched();
      assertEquals(now.filter((line) => !before.watched.includes(line)), []);
      assert(now.length >= before.wakers.length * 4);
      assertEquals(wakers().filter((id) => before.wakers.includes(id)), []);
      assertEquals(wakers().length, before.wakers.length);
    });
    assertEquals(reap(child), 0);
    assertEquals(wakers(), before.wakers);
  }),
);

Deno.test(
  "fork() opens nothing in the parent and nothing more in the child",
  withoutLeaks(() => {
    const before = openDescriptors();
    const child = forkWith(() => assertOpenDescriptors(before));
    assertOpenDescriptors(before);
    assertEquals(reap(child), 0);
  }),
);

Deno.test(
  "fork() does not add threads to the parent from fork to fork",
  withoutLeaks(() => {
    for (let i = 0; i < 5; i++) assertEquals(reap(forkWith(() => 0)), 0);
    const before = threads();
    for (let i = 0; i < 20; i++) assertEquals(reap(forkWith(() => 0)), 0);
    assert(threads() <= before + 2, `${before} threads became ${threads()}`);
  }),
);

Deno.test(
  "fork() does not add threads to the parent that goes back to its event loop each time, either",
  withoutLeaks(async () => {
    const FUTEX_WAIT = 0;
    const word = new Int32Array(new ArrayBuffer(4));
    const turn = async () => {
      const child = forkWith(() => 0);
      // A call of the program's own, at a moment when the threads are still parked.
      await futexWaitOnPool(BigInt(SYS_futex), word, FUTEX_WAIT, 1, 0n);
      assertEquals(reap(child), 0);
    };
    for (let i = 0; i < 10; i++) await turn();
    const before = threads();
    for (let i = 0; i < 20; i++) await turn();
    assert(threads() <= before + 2, `${before} threads became ${threads()}`);
  }),
);

/** How often each thread has gone to sleep, by its number. */
function sleeps(): Map<string, number> {
  const tids = directoryEntries("/proc/self/task").filter((name) =>
    !name.startsWith(".")
  );
  return new Map(tids.map((tid) => [tid, sleepsOf(`self/task/${tid}`)]));
}

Deno.test(
  "fork() many times in one turn does not wake the pool's threads for each, though they are many",
  withoutLeaks(async () => {
    await takeThreads();
    for (let i = 0; i < 12; i++) assertEquals(reap(forkWith(() => 0)), 0);
    const before = sleeps();
    for (let i = 0; i < 6; i++) assertEquals(reap(forkWith(() => 0)), 0);
    const woken = [...sleeps()].filter(([tid, count]) =>
      count >= (before.get(tid) ?? 0) + 6
    );
    // This thread itself waits for each child.
    assert(woken.length <= 2, `${woken.length} threads were woken each time`);
  }),
);

Deno.test(
  "fork() several times in one turn has no child wait for what the parent began in between",
  withoutLeaks(() => assertProgramSays(SEVERAL, [], "exited 0\n".repeat(4))),
);

Deno.test(
  "fork() keeps the signal mask on both sides, and gives caught signals their defaults in the child",
  withoutLeaks(() => {
    const before = statusMask("SigBlk");
    const faultsAndChild = [4, 5, 7, 8, 11, 17, 32, 33]
      .reduce((mask, signal) => mask | 1n << BigInt(signal - 1), 0n);
    const listener = () => {};
    Deno.addSignalListener("SIGUSR2", listener);
    // Deno goes on catching what nobody listens to any more.
    Deno.removeSignalListener("SIGUSR2", listener);
    assert((statusMask("SigCgt") & 1n << 11n) !== 0n);
    const child = forkWith(() => {
      assertEquals(statusMask("SigBlk"), before);
      assertEquals(statusMask("SigCgt") & ~faultsAndChild, 0n);
    });
    assertEquals(reap(child), 0);
    assertEquals(statusMask("SigBlk"), before);
  }),
);

Deno.test(
  "fork() makes a child that SIGTERM ends",
  withoutLeaks(async () => {
    const child = await forkWithAsync(() =>
      new Promise(() => setInterval(() => {}, 1000))
    );
    signalSymbols().kill(child, 15);
    assertEquals(reap(child), 15);
  }),
);

Deno.test(
  "fork() has the library's own state forgotten in the child",
  withoutLeaks(() => {
    let state = "the parent's";
    onForkedChild(() => state = "the child's own");
    assertEquals(
      reap(forkWith(() => Number(state === "the child's own"))),
      1 << 8,
    );
    assertEquals(state, "the parent's");
  }),
);

Deno.test(
  "fork() is refused in a worker",
  withoutLeaks(() => {
    const child = forkWith(() => {
      Object.assign(globalThis, { WorkerGlobalScope: class {} });
      const error = assertThrows(
        () => fork(),
        PosixError,
        "a worker is one thread of several",
      );
      assertEquals(error.code, "ENOTSUP");
    });
    assertEquals(reap(child), 0);
  }),
);

Deno.test(
  "fork() that finds no free descriptor throws EMFILE and leaves all as it was",
  withoutLeaks(() => {
    const child = forkWith(() => {
      const before = openDescriptors();
      // None free: nothing can be looked at. One: that works, but there is no pipe to be had.
      const next = descriptorSymbols().open(cString("/dev/null", "path"), 0, 0);
      descriptorSymbols().close(next);
      for (const room of [0, 1]) {
        setrlimit("RLIMIT_NOFILE", { soft: next + room, hard: 4096 });
        const error = assertThrows(() => fork(), PosixError);
        assertEquals(error.code, "EMFILE", error.message);
      }
      setrlimit("RLIMIT_NOFILE", { soft: 4096, hard: 4096 });
      assertOpenDescriptors(before);
      return reap(forkWith(() => 5)) >> 8;
    });
    assertEquals(reap(child), 5 << 8);
  }),
);

Deno.test(
  "fork() that the system refuses throws EAGAIN and leaves a parent that works",
  withoutLeaks(async () => {
    const child = await forkWithAsync(async () => {
      await useEventLoopAndPool();
      // The limit does not hold for root; having changed its user, a process must ask for its own /proc files again.
      libc.setresuid(65534, 65534, 65534);
      libc.prctl(4, 1n, 0n, 0n, 0n);
      setrlimit("RLIMIT_NPROC", { soft: 0, hard: 0 });
      const before = openDescriptors();
      const error = assertThrows(
        () => fork(),
        PosixError,
        "Cannot fork: fork failed with EAGAIN",
      );
      assertEquals(error.errno, 11);
      assertOpenDescriptors(before);
      assertEquals(statusMask("SigBlk"), 0n);
    });
    assertEquals(reap(child), 0);
  }),
);

Deno.test(
  "fork() gives the child the threads on which V8 optimises code and collects garbage",
  withoutLeaks(async () => {
    const workers = () =>
      directoryEntries("/proc/self/task").filter((tid) =>
        readText(`/proc/self/task/${tid}/comm`).startsWith("V8 ")
      ).length;
    const before = workers();
    const child = await forkWithAsync(async () => {
      await until(() => workers() === before);
      const grandchild = await forkWithAsync(() =>
        until(() => workers() === before)
      );
      assertEquals(reap(grandchild), 0);
    });
    assertEquals(reap(child), 0);
  }),
);

Deno.test("fork() has V8 start its threads in the child when it has something for them", () => {
  assertEquals(reap(forkWith(() => 0)), 0);
  // With all of V8 on one thread there are none.
  const singleThreaded = readText("/proc/self/cmdline").includes(
    "--single-threaded",
  );
  assertEquals(v8Workers.waitForTask, !singleThreaded);
});

Deno.test(
  "fork() works where V8 has neither a compiler nor WebAssembly",
  withoutLeaks(async () => {
    const source = `
      import { _exit, fork } from "${
      import.meta.resolve("../../process/mod.ts")
    }";
      import { waitpid } from "${import.meta.resolve("../../wait/mod.ts")}";
      const child = fork();
      if (child === 0) _exit(3);
      console.log(waitpid(child).raw);`;
    await using child = spawn(
      "/proc/self/exe",
      ["eval", "--no-config", "--v8-flags=--jitless", source],
      { argv0: "deno", stdin: "null", stdout: "piped" },
    );
    assertEquals(await child.text(), `${3 << 8}\n`);
    assert((await child.status).success);
  }),
);

Deno.test(
  "fork() has done in the child what V8 was given to do right before",
  withoutLeaks(() => assertProgramSays(TASK, [], "0 lost\n")),
);

Deno.test(
  "fork() gives children that may end before V8 has its threads, and while it gets them",
  withoutLeaks(() => assertProgramSays(EARLY, [], "all as they should\n")),
);

Deno.test(
  "fork() does not take place while there is a thread that was not seen at rest",
  withoutLeaks(() => {
    const noThread = new Map<number, Uint8Array<ArrayBuffer>>();
    const crossing = new Crossing(noThread, false);
    assert(crossing.isCurrent);
    assertEquals(tryToCross(crossing), AGAIN);
    assert(!crossing.isCurrent);
  }),
);

/** Forks a child that ends at once. */
function tryToCross(crossing: Crossing): number {
  const result = crossing.go();
  if (result === 0) _exit(1);
  if (result > 0) reap(result);
  return result;
}

/** How many pages the children have asked for that were waited for. */
function childrensFaults(): number {
  const [, rest] = readText("/proc/self/stat").split(") ");
  return Number(rest!.split(" ")[8]);
}

Deno.test(
  "fork() makes children that have to find and copy fewer pages once there have been many, and never more",
  withoutLeaks(() => assertProgramSays(FAULTS, [], "no more than at first\n")),
);

Deno.test(
  "fork() keeps no child during whose fork another thread has run",
  withoutLeaks(async () => {
    const rest = () => new Rest().settle();
    let crossing = new Crossing(rest(), false);
    for (let tries = 0;; tries++) {
      assert(tries < 500);
      // Longer and longer: a slow machine takes its time to bring the others to rest.
      const sleep = 5 * 2 ** Math.floor(tries / 100);
      const started = performance.now();
      const call = pollOnPool(0n, 0n, sleep);
      const notes = rest();
      if (!crossing.takeRest(notes)) crossing = new Crossing(notes, false);
      // The thread is to wake while the fork is under way, which takes a millisecond or so.
      while (performance.now() < started + sleep - 0.4 + tries % 10 / 20);
      const before = childrensFaults();
      const isDiscarded = tryToCross(crossing) === AGAIN &&
        childrensFaults() > before;
      poolThreads.release();
      await call;
      if (isDiscarded) break;
    }
  }),
);

Deno.test(
  "fork() takes in memory that was mapped since it looked what there is",
  withoutLeaks(() => {
    const memory = new AddressSpace();
    const list = new CallList();
    const included = callMemory(1);
    memory.include(list);
    list.call(symbolAddresses().memset, included, 1, 1);
    list.prepare();
    const { mmap, munmap } = mappingSymbols();
    const size = 1n << 16n;
    const address = mmap(
      0n,
      size,
      PROT_READ | PROT_WRITE,
      MAP_PRIVATE | MAP_ANONYMOUS,
      -1,
      0n,
    );
    try {
      assertEquals(forkSymbols().madvise(address, size, MADV_DONTFORK), 0);
      assert(isLeftOut(address));
      list.run();
      assertEquals(included[0], 1);
      assert(!isLeftOut(address));
    } finally {
      munmap(address, size);
    }
  }),
);

/** Whether the mapping that begins at an address is one that a fork does not copy. */
function isLeftOut(address: bigint): boolean {
  const [, flags] = new RegExp(
    `^${address.toString(16)}-(?:.*\n)+?VmFlags:(.*)$`,
    "m",
  ).exec(readText("/proc/self/smaps"))!;
  return flags!.split(" ").includes("dc");
}

Deno.test(
  "fork() 500 times in a row loses no child",
  withoutLeaks(() => assertProgramSays(MANY, ["fork"], "nothing lost\n")),
);

Deno.test(
  "fork() 100 times loses no child while garbage is collected and code is compiled on both sides",
  withoutLeaks(() => assertProgramSays(MANY, ["busy"], "nothing lost\n")),
);

Deno.test("_exit() does not flush or unload: it ends at once", () => {
  const child = fork();
  if (child === 0) {
    addEventListener("unload", () => _exit(1));
    _exit(42);
  }
  assertEquals(reap(child), 42 << 8);
});
