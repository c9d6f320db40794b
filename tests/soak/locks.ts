/**
 * Four processes under one lock that are killed at random, and replaced: what the lock protects is whole unless the lock says
 * otherwise, and the others always go on.
 *
 * Run as `deno task soak:locks [--seconds 60]`.
 *
 * @module
 */

import { Condition, Mutex, RwLock, SharedMemory } from "../../ipc/mod.ts";
import { _exit, fork, kill } from "../../process/mod.ts";
import { waitpid } from "../../wait/mod.ts";

const WORKERS = 4;
const STUCK_MS = 5000;
const TORN = 3;

// The words of the memory.
/** What is protected: two words that are the same outside the lock. */
const FIRST = 0;
const SECOND = 1;
/** How often anybody has had the lock. */
const TURNS = 2;
/** How often one was told of a dead owner. */
const DIED = 3;

const memory = SharedMemory.anonymous(64);
const words = new Int32Array(memory.buffer);

/** Takes turns under a lock, for ever, every second worker without blocking. */
type Work = (worker: number) => Promise<never>;

function works(): Record<string, Work> {
  const mutex = new Mutex();
  const condition = new Condition(mutex);
  const lock = new RwLock();
  return {
    async Mutex(worker) {
      for (;;) {
        const guard = worker % 2 === 0
          ? mutex.acquire()
          : await mutex.acquireAsync();
        change(guard.ownerDied);
        guard.release();
      }
    },
    async Condition(worker) {
      for (;;) {
        const guard = mutex.acquire();
        const mine = () => words[FIRST]! % 2 === worker % 2;
        if (worker < 2) condition.waitFor(mine);
        else await condition.waitForAsync(mine);
        change(guard.ownerDied);
        condition.notifyAll();
        guard.release();
      }
    },
    async RwLock(worker) {
      for (let round = 0;; round++) {
        if (round % 5 === worker) {
          const guard = worker % 2 === 0
            ? lock.acquireWrite()
            : await lock.acquireWriteAsync();
          change(guard.ownerDied);
          guard.release();
        } else {
          const guard = worker % 2 === 0
            ? lock.acquireRead()
            : await lock.acquireReadAsync();
          if (!guard.ownerDied && words[FIRST] !== words[SECOND]) _exit(TORN);
          guard.release();
        }
      }
    },
  };
}

/** Changes what is protected, in two steps. */
function change(ownerDied: boolean): void {
  if (ownerDied) {
    Atomics.add(words, DIED, 1);
    words[SECOND] = words[FIRST]!;
  }
  if (words[FIRST] !== words[SECOND]) _exit(TORN);
  words[FIRST]!++;
  for (let delay = Math.random() * 2000; delay > 0; delay--);
  words[SECOND]!++;
  Atomics.add(words, TURNS, 1);
}

/** The workers that run. */
const pids: number[] = [];

/** Runs a worker in a child; gives `null` to the child itself. */
function start(work: Work, worker: number): number | null {
  const pid = fork();
  if (pid !== 0) return pid;
  work(worker).catch((error) => {
    console.error(error);
    _exit(1);
  });
  return null;
}

/** Kills workers for a while; gives false to a child, which goes on as a worker. */
async function soak(name: string, work: Work, ms: number): Promise<boolean> {
  words.fill(0);
  pids.length = 0;
  for (let worker = 0; worker < WORKERS; worker++) {
    const pid = start(work, worker);
    if (pid === null) return false;
    pids.push(pid);
  }
  const end = performance.now() + ms;
  let [kills, turns, since, longest] = [0, 0, performance.now(), 0];
  while (performance.now() < end) {
    await new Promise((resolve) => setTimeout(resolve, Math.random() * 50));
    const worker = Math.floor(Math.random() * WORKERS);
    endOf(pids[worker]!, name);
    kills++;
    const pid = start(work, worker);
    if (pid === null) return false;
    pids[worker] = pid;
    const now = Atomics.load(words, TURNS);
    if (now !== turns) [turns, since] = [now, performance.now()];
    const still = performance.now() - since;
    longest = Math.max(longest, still);
    if (still > STUCK_MS) fail(`${name}: nobody goes on`);
  }
  for (const pid of [...pids]) endOf(pid, name);
  console.log(
    `${name}: ${kills} killed, ${turns} turns, ${
      words[DIED]
    } dead owners told, nobody went on for ${longest.toFixed(0)} ms at most`,
  );
  return true;
}

/** Kills a worker, which must not have ended by itself. */
function endOf(pid: number, name: string): void {
  kill(pid, "SIGKILL");
  const { status } = waitpid(pid)!;
  if (status.kind === "signaled") return;
  pids.splice(pids.indexOf(pid), 1);
  fail(`${name}: a worker has ended: ${Deno.inspect(status)}`);
}

/** Says what has gone wrong, and leaves no worker behind. */
function fail(message: string): never {
  console.error(message);
  for (const pid of pids) kill(pid, "SIGKILL");
  Deno.exit(1);
}

const index = Deno.args.indexOf("--seconds");
const seconds = index === -1 ? 60 : Number(Deno.args[index + 1]);
if (!(seconds > 0)) throw new RangeError("--seconds must be a number above 0");
const all = Object.entries(works());
for (const [name, work] of all) {
  if (!await soak(name, work, seconds * 1000 / all.length)) {
    // A worker ends only by being killed.
    setInterval(() => {}, 1000);
    break;
  }
}
