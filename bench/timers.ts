/**
 * How late ticks come: those of `intervals` (timerfd) and of `setitimer` with `signals`, of Deno's `setInterval`, and of C.
 *
 * @module
 */

import { intervals, setitimer, signals } from "../process/mod.ts";
import { printing, Workshop } from "./_programs.ts";
import { printTable, sideBySide } from "./_side_by_side.ts";
import { figure, printTarget } from "./_targets.ts";

const TURNS = 5;
const TICKS = 200;
const INTERVAL_MS = 5;
const LIMIT_US = 2000;

const TIMERFD = "intervals (timerfd)";
const ITIMER = "setitimer, signals";
const TIMERFD_IN_C = "C, timerfd";

/** Measures and prints. */
export async function run(): Promise<void> {
  using workshop = new Workshop();
  const inC = await workshop.compile("timers.c", "timers");
  const by = "the library";
  const rows = await sideBySide([
    { name: TIMERFD, by, turn: byTimerfd },
    { name: ITIMER, by, turn: byItimer },
    { name: "setInterval of Deno", by: "Deno", turn: bySetInterval },
    printing(TIMERFD_IN_C, inC, "timerfd", TICKS, INTERVAL_MS),
    printing("C, setitimer, sigwait", inC, "itimer", TICKS, INTERVAL_MS),
  ], TURNS);
  const title = `How late the 99th of 100 ticks is, every ${INTERVAL_MS} ms`;
  const table = printTable(title, "µs", rows, TIMERFD_IN_C);
  for (const name of [TIMERFD, ITIMER]) {
    const limit = { atMost: LIMIT_US, unit: "µs" };
    printTarget(table, name, figure(table, name), limit);
  }
}

/** How late the 99th of 100 is. Several ticks may be told of at once, after some were missed. */
class Lateness {
  readonly #start = performance.now();
  readonly #late: number[] = [];

  /** Gives false once there are enough. */
  note(ticks: number): boolean {
    const elapsed = performance.now() - this.#start;
    for (; ticks > 0 && this.#late.length < TICKS; ticks--) {
      this.#late.push(elapsed - (this.#late.length + 1) * INTERVAL_MS);
    }
    return this.#late.length < TICKS;
  }

  get microseconds(): number {
    return this.#late.toSorted((a, b) => a - b)[TICKS * 99 / 100]! * 1000;
  }
}

async function byTimerfd(): Promise<number> {
  const lateness = new Lateness();
  for await (const missed of intervals(INTERVAL_MS)) {
    if (!lateness.note(1 + missed)) break;
  }
  return lateness.microseconds;
}

async function byItimer(): Promise<number> {
  const alarms = signals("SIGALRM");
  const lateness = new Lateness();
  setitimer("ITIMER_REAL", INTERVAL_MS / 1000, INTERVAL_MS / 1000);
  for await (const _ of alarms) {
    if (lateness.note(1)) continue;
    setitimer("ITIMER_REAL", 0);
    break;
  }
  return lateness.microseconds;
}

function bySetInterval(): Promise<number> {
  const lateness = new Lateness();
  return new Promise((resolve) => {
    const timer = setInterval(() => {
      if (lateness.note(1)) return;
      clearInterval(timer);
      resolve(lateness.microseconds);
    }, INTERVAL_MS);
  });
}

if (import.meta.main) await run();
