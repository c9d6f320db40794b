import {
  assert,
  assertEquals,
  assertGreater,
  assertRejects,
  assertStrictEquals,
} from "@std/assert";
import { RLIMIT_NOFILE } from "../../ffi/constants.ts";
import { RLIMIT } from "../../ffi/layouts.ts";
import { PosixError } from "../../ffi/errors.ts";
import { descriptorSymbols, processSymbols } from "../../ffi/_symbols.ts";
import {
  waitAsync,
  waitid,
  waitpid,
  WEXITED,
  WNOHANG,
  WNOWAIT,
} from "../../wait/mod.ts";
import {
  assertOpenDescriptors,
  forkWith,
  forkWithAsync,
  openDescriptors,
  reap,
  until,
  withoutLeaks,
} from "../_helpers.ts";
import { assertProgramSays } from "../_run_program.ts";
import { Gate, send, threads } from "./_children.ts";
import { testEachWay } from "./_ways.ts";

const MANY = new URL("./_many_children_program.ts", import.meta.url);

const { clock, prctl, ptrace } = Deno.dlopen("libc.so.6", {
  // clock_t clock(void); the CPU time of the process, all threads, in microseconds
  clock: { parameters: [], result: "i64" },
  // int prctl(int op, unsigned long arg2);
  prctl: { parameters: ["i32", "u64"], result: "i32" },
  // long ptrace(enum __ptrace_request request, pid_t pid, void *addr, void *data);
  ptrace: { parameters: ["i32", "i32", "usize", "usize"], result: "i64" },
}).symbols;
const PR_SET_PTRACER = 0x59616d61;
const PR_SET_PTRACER_ANY = 0xffff_ffff_ffff_ffffn;
const PTRACE_SEIZE = 0x4206;

/** Waits until the child has ended, and leaves it a zombie. */
function zombie(pid: number): number {
  assertEquals(waitid("P_PID", pid, WEXITED | WNOWAIT)?.pid, pid);
  return pid;
}

/** Runs `body` with another limit on descriptors; numbers from the limit on cannot be opened. */
async function withDescriptorLimit<T>(
  limit: number,
  body: () => T | Promise<T>,
): Promise<T> {
  const limits = new BigUint64Array(RLIMIT.size / 8);
  const { getrlimit, setrlimit } = processSymbols();
  assertEquals(getrlimit(RLIMIT_NOFILE, limits), 0);
  const before = limits[0]!;
  limits[0] = BigInt(limit);
  assertEquals(setrlimit(RLIMIT_NOFILE, limits), 0);
  try {
    return await body();
  } finally {
    limits[0] = before;
    assertEquals(setrlimit(RLIMIT_NOFILE, limits), 0);
  }
}

/** The lowest number that no descriptor has. */
function lowestFreeDescriptor(): number {
  const open = openDescriptors();
  const gap = open.findIndex((fd, index) => fd !== index);
  return gap === -1 ? open.length : gap;
}

testEachWay(
  "waitAsync() resolves with status and usage when the child ends, and the event loop goes on meanwhile",
  async () => {
    const gate = new Gate();
    const pid = gate.fork(3);
    const promise = waitAsync(pid);
    let ticks = 0;
    await until(() => ++ticks > 5);
    assertEquals(
      await Promise.race([promise, Promise.resolve("pending")]),
      "pending",
    );
    gate.open();
    const { rusage, ...rest } = await promise;
    assertEquals(rest, {
      pid,
      raw: 0x0300,
      status: { kind: "exited", code: 3 },
    });
    assert(rusage.maxrss > 1024, "a child of Deno has more than a MiB");
    assert(rusage.minflt > 0);
    assert(rusage.nvcsw > 0, "it waited at the gate");
    const seconds = rusage.utime + rusage.stime;
    assert(seconds > 0 && seconds < 10, `${seconds} s`);
  },
);

testEachWay(
  "waitAsync() resolves with the signal that killed the child",
  async () => {
    const gate = new Gate();
    const pid = gate.fork(0);
    const promise = waitAsync(pid);
    send(pid, "SIGKILL");
    const { raw, status } = await promise;
    assertEquals(raw, 9);
    assertEquals(status, {
      kind: "signaled",
      signal: "SIGKILL",
      coreDumped: false,
    });
    gate.open();
  },
);

testEachWay(
  "waitAsync() does not take a stopped or continued child for one that has ended",
  async () => {
    const gate = new Gate();
    const pid = gate.fork(1);
    const promise = waitAsync(pid);
    send(pid, "SIGSTOP");
    await until(() => waitid("P_PID", pid, 2 | WNOHANG) !== null);
    send(pid, "SIGCONT");
    gate.open();
    assertEquals((await promise).raw, 0x0100);
  },
);

testEachWay(
  "waitAsync() resolves for a child that has ended already",
  async () => {
    const pid = zombie(forkWith(() => 4));
    assertEquals((await waitAsync(pid)).raw, 0x0400);
  },
);

Deno.test(
  "waitAsync() waits for 200 children at once without a thread for each",
  withoutLeaks(() => assertProgramSays(MANY, ["at-once"], "nothing lost\n")),
);

testEachWay(
  "waitAsync() waits for one child after the other without ever more threads",
  async () => {
    const gates = Array.from({ length: 20 }, () => new Gate());
    const pids = gates.map((gate, i) => gate.fork(i));
    const before = threads();
    for (const [i, pid] of pids.entries()) {
      const promise = waitAsync(pid);
      gates[i]!.open();
      assertEquals((await promise).raw, i << 8);
      assert(threads() <= before + 2, `${threads()} threads after ${before}`);
    }
  },
);

testEachWay(
  "waitAsync() resolves in the order in which children end, whatever the order of the calls",
  async () => {
    const gates = Array.from({ length: 8 }, () => new Gate());
    const ended: number[] = [];
    const promises = gates.map(async (gate, index) => {
      await waitAsync(gate.fork(index));
      ended.push(index);
    });
    const order = [5, 0, 7, 3, 1, 6, 2, 4];
    for (const [count, index] of order.entries()) {
      gates[index]!.open();
      await until(() => ended.length > count);
    }
    await Promise.all(promises);
    assertEquals(ended, order);
  },
);

Deno.test(
  "waitAsync() lets no other task run in between, though it may load a part of Deno",
  withoutLeaks(() =>
    assertProgramSays(
      new URL("_tasks_program.ts", import.meta.url),
      [],
      "nothing in between\n",
    )
  ),
);

Deno.test(
  "waitAsync() takes 150 children one after the other",
  withoutLeaks(() => assertProgramSays(MANY, ["in-turn"], "nothing lost\n")),
);

testEachWay(
  "waitAsync() leaves no descriptor open and nothing under way when the last wait settles",
  async () => {
    const before = openDescriptors();
    const gates = [new Gate(), new Gate()] as const;
    const first = waitAsync(gates[0].fork(0));
    const second = waitAsync(gates[1].fork(0));
    gates[0].open();
    await first;
    gates[1].open();
    const atTheEnd = await second.then(openDescriptors);
    assertEquals(atTheEnd, before);
  },
);

testEachWay(
  "waitAsync() leaves other children alone, zombies included",
  async () => {
    const gate = new Gate();
    const other = forkWith(() => 1);
    const pid = gate.fork(2);
    const promise = waitAsync(pid);
    zombie(other);
    gate.open();
    assertEquals((await promise).pid, pid);
    assertEquals(waitpid(other)?.raw, 0x0100);
  },
);

testEachWay(
  "waitAsync() rejects with ECHILD for what is no child, or is reaped already",
  async () => {
    const reaped = forkWith(() => 0);
    reap(reaped);
    for (const pid of [reaped, processSymbols().getpid(), 1, 0x7fffffff]) {
      const error = await assertRejects(
        () => waitAsync(pid),
        PosixError,
        `Cannot wait for child ${pid}: `,
      );
      assertEquals(error.code, "ECHILD");
    }
  },
);

testEachWay(
  "waitAsync() rejects with ECHILD when somebody else reaps the child",
  async () => {
    const gate = new Gate();
    const pid = gate.fork(0);
    const promise = waitAsync(pid);
    gate.open();
    assertEquals(waitpid(pid)?.raw, 0);
    const error = await assertRejects(() => promise, PosixError);
    assertEquals(error.code, "ECHILD");
  },
);

testEachWay(
  "waitAsync() gives all who wait for one child the same result",
  async () => {
    const gate = new Gate();
    const pid = gate.fork(6);
    const first = waitAsync(pid);
    const second = waitAsync(pid);
    gate.open();
    zombie(pid);
    const third = waitAsync(pid);
    const results = await Promise.all([first, second, third]);
    assertEquals(results.map(({ raw }) => raw), [0x0600, 0x0600, 0x0600]);
    assertEquals(results[0], results[1]);
    assertEquals(results[0], results[2]);
  },
);

testEachWay(
  "waitAsync() rejects with the signal's reason when aborted, and neither ends nor reaps the child",
  async () => {
    const gate = new Gate();
    const pid = gate.fork(1);
    const before = openDescriptors();
    const controller = new AbortController();
    const promise = waitAsync(pid, { signal: controller.signal });
    assertGreater(openDescriptors().length, before.length);
    const reason = { why: "enough" };
    controller.abort(reason);
    const [caught, open] = await promise.then(
      () => ["resolved", []],
      (error) => [error, openDescriptors()],
    );
    assertStrictEquals(caught, reason);
    assertEquals(open, before);
    assertEquals(waitpid(pid, WNOHANG), null);
    const again = waitAsync(pid);
    gate.open();
    assertEquals((await again).raw, 0x0100);
    controller.abort();
  },
);

testEachWay(
  "waitAsync() rejects at once and without effect if the signal is aborted already",
  async () => {
    const pid = zombie(forkWith(() => 1));
    const error = await assertRejects(
      () => waitAsync(pid, { signal: AbortSignal.abort() }),
      DOMException,
    );
    assertEquals(error.name, "AbortError");
    assertEquals(waitpid(pid)?.raw, 0x0100);
  },
);

testEachWay(
  "waitAsync() keeps the other waits for a child when one is aborted",
  async () => {
    const gate = new Gate();
    const pid = gate.fork(1);
    const controller = new AbortController();
    const kept = waitAsync(pid);
    const aborted = waitAsync(pid, { signal: controller.signal });
    controller.abort();
    await assertRejects(() => aborted, DOMException);
    assertEquals(waitpid(pid, WNOHANG), null);
    gate.open();
    assertEquals((await kept).raw, 0x0100);
  },
);

testEachWay(
  "waitAsync() can be called anew for a child before the aborted wait has settled",
  async () => {
    const gate = new Gate();
    const pid = gate.fork(1);
    const controller = new AbortController();
    const aborted = waitAsync(pid, { signal: controller.signal });
    controller.abort("no");
    const anew = waitAsync(pid);
    assertEquals(await aborted.catch((reason) => reason), "no");
    gate.open();
    assertEquals((await anew).raw, 0x0100);
  },
);

testEachWay(
  "waitAsync() keeps the other children's waits when one of them is aborted",
  async () => {
    const gate = new Gate();
    const pids = [gate.fork(1), gate.fork(2), gate.fork(3)];
    const controllers = pids.map(() => new AbortController());
    const promises = pids.map((pid, i) =>
      waitAsync(pid, { signal: controllers[i]!.signal })
    );
    controllers[1]!.abort("no");
    assertEquals(await promises[1]!.catch((reason) => reason), "no");
    gate.open();
    assertEquals((await promises[0]!).raw, 0x0100);
    assertEquals((await promises[2]!).raw, 0x0300);
    assertEquals(reap(pids[1]!), 0x0200);
  },
);

testEachWay(
  "waitAsync() leaves a child unreaped that ends together with the abort",
  async () => {
    const gate = new Gate();
    const pid = gate.fork(1);
    const controller = new AbortController();
    const promise = waitAsync(pid, { signal: controller.signal });
    gate.open();
    zombie(pid);
    controller.abort("no");
    assertEquals(await promise.catch((reason) => reason), "no");
    assertEquals(waitpid(pid)?.raw, 0x0100);
  },
);

testEachWay(
  "waitAsync() rejects wrong arguments",
  async () => {
    await assertRejects(() => waitAsync("1" as never), TypeError, `'pid'`);
    for (const pid of [0, -1, -77, 1.5, NaN, 2 ** 31]) {
      await assertRejects(() => waitAsync(pid), RangeError, `'pid'`);
    }
    await assertRejects(
      () => waitAsync(1, { signal: "SIGTERM" as never }),
      TypeError,
      `'signal' must be an AbortSignal: current value is "SIGTERM"`,
    );
  },
);

testEachWay(
  "waitAsync() rejects with EMFILE and leaves nothing when a descriptor cannot be opened",
  async () => {
    const gate = new Gate();
    const pid = gate.fork(1);
    const before = openDescriptors();
    const free = lowestFreeDescriptor();
    // The first limit has no room for the pidfd, the second none for what watches it.
    for (const limit of [free, free + 1]) {
      const [promise] = await withDescriptorLimit(
        limit,
        () => [waitAsync(pid).catch((error) => error)],
      );
      const error = await promise;
      assert(error instanceof PosixError, String(error));
      assertEquals(error.code, "EMFILE");
      assertOpenDescriptors(before);
    }
    const promise = waitAsync(pid);
    gate.open();
    assertEquals((await promise).raw, 0x0100);
  },
);

testEachWay(
  "waitAsync() rejects every pending wait when poll itself fails, and works again afterwards",
  async () => {
    const gate = new Gate();
    const pids = [gate.fork(1), gate.fork(2), gate.fork(3)];
    const before = openDescriptors();
    const controller = new AbortController();
    const aborted = waitAsync(pids[0]!, { signal: controller.signal });
    const others = pids.slice(1).map((pid) => waitAsync(pid));
    const results = Promise.allSettled([aborted, ...others]);
    // poll(2) refuses more descriptors than may be open.
    const settled = await withDescriptorLimit(1, async () => {
      controller.abort("no");
      return await results;
    });
    assertEquals(
      settled.map((result) =>
        result.status === "rejected" && (result.reason.code ?? result.reason)
      ),
      ["no", "EINVAL", "EINVAL"],
    );
    assertOpenDescriptors(before);
    const again = pids.map((pid) => waitAsync(pid));
    gate.open();
    assertEquals((await Promise.all(again)).map(({ raw }) => raw >> 8), [
      1,
      2,
      3,
    ]);
  },
  ["by a thread"],
);

testEachWay(
  "waitAsync() rejects with EBADF when somebody closes the child's descriptor",
  async () => {
    const gate = new Gate();
    const pids = [gate.fork(1), gate.fork(2)] as const;
    const before = openDescriptors();
    const controller = new AbortController();
    const waits = Promise.allSettled([
      waitAsync(pids[0]),
      waitAsync(pids[1], { signal: controller.signal }),
    ]);
    const [pidfd] = openDescriptors().filter((fd) => !before.includes(fd));
    descriptorSymbols().close(pidfd!);
    // A poll that sleeps does not notice; the abort wakes it.
    controller.abort("no");
    const [first, second] = await waits;
    assert(first.status === "rejected" && first.reason instanceof PosixError);
    assertEquals(first.reason.code, "EBADF");
    assert(second.status === "rejected");
    assertEquals(second.reason, "no");
    gate.open();
    assertEquals(pids.map(reap), [0x0100, 0x0200]);
  },
);

testEachWay(
  "waitAsync() rejects with EBADF, instead of spinning, when somebody closes the watcher's descriptor",
  async () => {
    const gates = [new Gate(), new Gate()] as const;
    const pids = [gates[0].fork(1), gates[1].fork(2)] as const;
    const before = openDescriptors();
    const controller = new AbortController();
    const first = waitAsync(pids[0]).catch((error) => error);
    const eventfd = openDescriptors().filter((fd) => !before.includes(fd)).at(
      -1,
    );
    const second = waitAsync(pids[1]).catch((error) => error);
    const third = waitAsync(pids[1], { signal: controller.signal });
    let ticks = 0;
    await until(() => ++ticks > 5);
    descriptorSymbols().close(eventfd!);
    controller.abort("no");
    assertEquals(await third.catch((reason) => reason), "no");
    // Nothing but the end of a child can wake the poll now.
    gates[0].open();
    for (const error of await Promise.all([first, second])) {
      assert(error instanceof PosixError, Deno.inspect(error));
      assertEquals(error.code, "EBADF");
    }
    gates[1].open();
    const again = await Promise.all(pids.map((pid) => waitAsync(pid)));
    assertEquals(again.map(({ raw }) => raw), [0x0100, 0x0200]);
  },
);

testEachWay(
  "waitAsync() rejects, instead of never settling, when the permission is revoked meanwhile",
  async () => {
    const child = await forkWithAsync(async () => {
      const gate = new Gate();
      const before = openDescriptors();
      const controller = new AbortController();
      const waits = Promise.allSettled([
        waitAsync(gate.fork(1), { signal: controller.signal }),
        waitAsync(gate.fork(2)),
      ]);
      Deno.permissions.revokeSync({ name: "ffi" });
      controller.abort("no");
      const [first, second] = await waits;
      assertOpenDescriptors(before);
      assert(first.status === "rejected");
      assertEquals(first.reason, "no");
      assert(second.status === "rejected");
      assert(second.reason instanceof Deno.errors.NotCapable);
    });
    assertEquals(reap(child), 0);
  },
  ["by a thread"],
);

testEachWay(
  "waitAsync() waits without spinning until a tracer lets go of the child that has ended",
  async () => {
    const gates = [new Gate(), new Gate()] as const;
    const pid = forkWith(() => {
      prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY);
      send(processSymbols().getpid(), "SIGSTOP");
      gates[0].pass();
    });
    assertEquals(waitpid(pid, 2)?.raw, 0x137f);
    const tracer = forkWith(() => {
      const failed = ptrace(PTRACE_SEIZE, pid, 0n, 0n) !== 0n;
      send(processSymbols().getpid(), "SIGSTOP");
      gates[1].pass();
      return failed ? 1 : 0;
    });
    assertEquals(waitpid(tracer, 2)?.raw, 0x137f);
    send(tracer, "SIGCONT");
    const promise = waitAsync(pid);
    let settled = false;
    promise.finally(() => settled = true);
    send(pid, "SIGKILL");
    // While the tracer does not look, the pidfd is readable but there is nothing to reap.
    const cpu = clock();
    await new Promise((resolve) => setTimeout(resolve, 200));
    const spent = clock() - cpu;
    const early = settled;
    gates[1].open();
    const traced = reap(tracer);
    const { raw } = await promise;
    gates[0].open();
    // Only now, when nothing is left that the tests to come would find.
    assertEquals(traced, 0, "ptrace");
    assertEquals(early, false);
    assert(spent < 80_000n, `${spent} µs of CPU time in 200 ms`);
    assertEquals(raw, 9);
  },
);

testEachWay(
  "waitAsync() leaves a forked child none of the parent's waits or descriptors",
  async () => {
    const gate = new Gate();
    const pid = gate.fork(1);
    const before = openDescriptors();
    const controller = new AbortController();
    const promise = waitAsync(pid, { signal: controller.signal });
    let ticks = 0;
    await until(() => ++ticks > 5);
    const opened = openDescriptors().filter((fd) => !before.includes(fd));
    assertGreater(opened.length, 1);
    const child = forkWith(() => {
      controller.abort();
      return openDescriptors().some((fd) => opened.includes(fd)) ? 1 : 0;
    });
    assertEquals(reap(child), 0);
    gate.open();
    assertEquals((await promise).raw, 0x0100);
  },
);

testEachWay(
  "waitAsync() neither settles nor touches anything in a forked child for a wait of the parent that was about to settle",
  async () => {
    const gate = new Gate();
    const pid = gate.fork(1);
    let settled = false;
    const promise = waitAsync(pid).finally(() => settled = true);
    gate.open();
    zombie(pid);
    // The pool's thread comes back meanwhile, but its result can be delivered only in a later turn.
    descriptorSymbols().poll(null, 0n, 20);
    const child = await forkWithAsync(async () => {
      // These take the numbers that the parent's watcher had.
      const inner = [new Gate(), new Gate()];
      const before = openDescriptors();
      let ticks = 0;
      await until(() => ++ticks > 10);
      assertOpenDescriptors(before);
      inner.forEach((gate) => gate.open());
      return settled ? 1 : 0;
    });
    assertEquals(reap(child), 0);
    assertEquals((await promise).raw, 0x0100);
  },
);

testEachWay(
  "waitAsync() works in a forked child while the parent waits",
  async () => {
    const gate = new Gate();
    const pid = gate.fork(1);
    const promise = waitAsync(pid);
    const child = await forkWithAsync(async () => {
      const inner = new Gate();
      const waits = [waitAsync(inner.fork(2)), waitAsync(inner.fork(3))];
      inner.open();
      const results = await Promise.all(waits);
      assertEquals(results.map(({ raw }) => raw), [0x0200, 0x0300]);
    });
    assertEquals((await waitAsync(child)).raw, 0);
    gate.open();
    assertEquals((await promise).raw, 0x0100);
  },
);
