/**
 * One job of the soak: named by the first argument, measured by the others. Prints its outcome as JSON.
 *
 * @module
 */

import { forkWithAsync } from "../_fork_with_async.ts";
import { WNOHANG } from "../../ffi/constants.ts";
import { kill } from "../../process/kill.ts";
import type { WaitStatus } from "../../wait/types.ts";
import { waitpid } from "../../wait/wait.ts";
import { beBusy, fillHeap } from "./_work.ts";
import type { Outcome } from "./_outcome.ts";

const DEADLINE = 20_000;
const AT_ONCE = 8;

const collectGarbage = (globalThis as { gc?: () => void }).gc!;

function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

/** Deno starts a thread for signals half a second after its start, with a pair of sockets: they are no leak. */
async function untilSettled(): Promise<void> {
  await sleep(1000);
}

/** Uses the event loop and the pool of blocking tasks. */
async function useRuntime(): Promise<void> {
  const [stat] = await Promise.all([
    Deno.readTextFile("/proc/self/stat"),
    sleep(1),
  ]);
  const self = Deno.readLinkSync("/proc/self");
  if (!stat.startsWith(`${self} `)) throw new Error(`${self} read ${stat}`);
}

/** The children that are there, and what became of the others. */
class Children {
  readonly #alive = new Map<number, { expected: number; since: number }>();
  ended = 0;
  hung = 0;
  crashed = 0;
  readonly details: string[] = [];

  add(pid: number, expected: number): void {
    this.#alive.set(pid, { expected, since: performance.now() });
  }

  get count(): number {
    return this.#alive.size;
  }

  /** Sees which have ended, and ends those that hang. */
  look(): void {
    for (const [pid, { expected, since }] of this.#alive) {
      const result = waitpid(pid, WNOHANG);
      if (result !== null) {
        this.#alive.delete(pid);
        this.ended++;
        const { status } = result;
        if (status.kind === "exited" && status.code === expected) continue;
        this.crashed++;
        this.details.push(describe(status));
      } else if (performance.now() - since > DEADLINE) {
        this.hung++;
        this.details.push(whereabouts(pid));
        kill(pid, "SIGKILL");
        waitpid(pid);
        this.#alive.delete(pid);
      }
    }
  }

  /** Waits until at most that many are left. */
  async atMost(count: number): Promise<void> {
    for (this.look(); this.count > count; this.look()) await sleep(1);
  }

  /** The outcome, with further figures. */
  outcome(...figures: string[]): Outcome {
    return {
      passed: this.hung === 0 && this.crashed === 0,
      figures: [
        `${this.ended} ended, ${this.hung} hung, ${this.crashed} crashed`,
        ...figures,
        ...new Set(this.details.slice(0, 5)),
      ].join("; "),
    };
  }
}

function describe(status: WaitStatus): string {
  if (status.kind === "exited") return `exit ${status.code}`;
  return status.kind === "signaled" ? status.signal : status.kind;
}

/** What the threads of a child are at. */
function whereabouts(pid: number): string {
  const tasks = `/proc/${pid}/task`;
  return [...Deno.readDirSync(tasks)].map(({ name }) => {
    const read = (file: string) =>
      Deno.readTextFileSync(`${tasks}/${name}/${file}`).trim();
    return `${read("comm")} at ${read("syscall")}`;
  }).join(", ");
}

function rate(count: number, started: number): string {
  const milliseconds = performance.now() - started;
  return `${(milliseconds / count).toFixed(1)} ms a fork`;
}

/** Many forks, several at once, with a warm heap, new code and garbage on both sides. */
async function manyForks(count: number): Promise<Outcome> {
  fillHeap(20);
  const children = new Children();
  const started = performance.now();
  for (let i = 0; i < count; i++) {
    beBusy(i);
    const expected = i % 90;
    children.add(
      await forkWithAsync(async () => {
        beBusy(-i);
        // One in four lives longer: it uses what it has been given.
        if (i % 4 === 0) await useRuntime();
        return expected;
      }),
      expected,
    );
    await children.atMost(AT_ONCE - 1);
    if (i % 50 === 0) await useRuntime();
  }
  await children.atMost(0);
  await useRuntime();
  return children.outcome(rate(count, started));
}

/** Forks of a big heap. */
async function bigHeap(count: number, megabytes: number): Promise<Outcome> {
  fillHeap(megabytes);
  const { heapUsed } = Deno.memoryUsage();
  const children = new Children();
  const started = performance.now();
  for (let i = 0; i < count; i++) {
    beBusy(i);
    children.add(
      await forkWithAsync(async () => {
        beBusy(-i);
        if (i % 4 === 0) await useRuntime();
        return 5;
      }),
      5,
    );
    await children.atMost(1);
  }
  await children.atMost(0);
  await useRuntime();
  return children.outcome(
    `a heap of ${Math.round(heapUsed / 1e6)} MB`,
    rate(count, started),
  );
}

/** Children killed at all points of their start. */
async function killed(count: number): Promise<Outcome> {
  fillHeap(20);
  await untilSettled();
  const delays = 6;
  let before: readonly string[] = [];
  let tooLate = 0;
  for (let i = 0; i < count + 5; i++) {
    // The first few are to warm up with.
    if (i === 5) before = descriptors();
    const pid = await forkWithAsync(async () => {
      for (;;) await useRuntime();
    });
    const until = performance.now() + Math.random() * delays;
    while (performance.now() < until);
    kill(pid, "SIGKILL");
    const { status } = waitpid(pid)!;
    if (status.kind !== "signaled") tooLate++;
    if (i % 10 === 0) await useRuntime();
  }
  const child = new Children();
  child.add(
    await forkWithAsync(async () => {
      await useRuntime();
      return 3;
    }),
    3,
  );
  await child.atMost(0);
  for (let i = 0; i < 20; i++) await useRuntime();
  const now = descriptors();
  const changed = [
    ...without(now, before).map((target) => `new: ${target}`),
    ...without(before, now).map((target) => `gone: ${target}`),
  ];
  return {
    passed: changed.length === 0 && child.outcome().passed && tooLate === 0,
    figures: `${count} killed within ${delays} ms of their start, ` +
      `${now.length} descriptors (${changed.join(", ") || "as before"}), ` +
      `the next child: ${child.outcome().figures}`,
  };
}

/** What is in a list more often than in another. */
function without(some: readonly string[], others: readonly string[]): string[] {
  const rest = [...some];
  for (const other of others) {
    const index = rest.indexOf(other);
    if (index !== -1) rest.splice(index, 1);
  }
  return rest;
}

/** What many forks leave in the parent. */
async function parentAfter(count: number, idle: number): Promise<Outcome> {
  fillHeap(20);
  const children = new Children();
  const forks = async (count: number) => {
    for (let i = 0; i < count; i++) {
      children.add(await forkWithAsync(() => 1), 1);
      await children.atMost(3);
      if (i % 10 === 0) await useRuntime();
    }
    await children.atMost(0);
    await useRuntime();
    for (let i = 0; i < 3; i++) {
      collectGarbage();
      await sleep(10);
    }
    await sleep(idle);
  };
  await untilSettled();
  // Until V8 has the room that it wants for this: from then on what grows is a leak.
  await forks(300);
  const figures = () => ({
    descriptors: descriptors().length,
    threads: threads(idle > 10_000),
    rss: resident(),
  });
  const before = figures();
  await forks(count);
  const after = figures();
  const growth = (after.rss / before.rss - 1) * 100;
  return {
    passed: children.outcome().passed && growth <= 5 &&
      after.descriptors === before.descriptors &&
      after.threads === before.threads,
    figures:
      `descriptors ${before.descriptors} and then ${after.descriptors}, ` +
      `threads ${before.threads} and then ${after.threads}, ` +
      `resident ${before.rss} kB and then ${after.rss} kB ` +
      `(${growth.toFixed(1)} %)`,
  };
}

/** This process's resident memory, in kB. */
function resident(): number {
  const text = Deno.readTextFileSync("/proc/self/smaps_rollup");
  return Number(/^Rss:\s*(\d+) kB$/m.exec(text)![1]);
}

/** What is open, but for the directory that tells it: by kind, as numbers may differ. */
function descriptors(): string[] {
  return [...Deno.readDirSync("/proc/self/fd")].flatMap(({ name }) => {
    try {
      const target = Deno.readLinkSync(`/proc/self/fd/${name}`);
      return target.startsWith("/proc/")
        ? []
        : [target.replace(/:\[\d+\]$/, "")];
    } catch {
      return [];
    }
  }).sort();
}

/** The threads; the pool's are left out if they have not been given the ten seconds after which an idle one ends. */
function threads(poolToo: boolean): number {
  return [...Deno.readDirSync("/proc/self/task")].filter(({ name }) =>
    poolToo ||
    !Deno.readTextFileSync(`/proc/self/task/${name}/comm`)
      .startsWith("tokio-runtime")
  ).length;
}

const jobs: Record<string, (...args: number[]) => Promise<Outcome>> = {
  forks: manyForks,
  heap: bigHeap,
  kills: killed,
  parent: parentAfter,
};

const [name, ...args] = Deno.args;
console.log(JSON.stringify(await jobs[name!]!(...args.map(Number))));
