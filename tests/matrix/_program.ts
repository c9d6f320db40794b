/**
 * The capability program: forks a child for each capability and prints a line of JSON about each.
 *
 * It runs under versions of Deno that have neither this repository's import map nor its packages, so it imports nothing but
 * the library and `node:` modules.
 *
 * @module
 */

import { _exit } from "../../process/_exit.ts";
import { Child, sendResult } from "./_child.ts";
import { type Capability, sleep } from "./_capability.ts";
import { isBefore, type Report } from "./_report.ts";
import { scratch } from "./_scratch.ts";
import { belongings } from "./capabilities/belongings.ts";
import { ends } from "./capabilities/ends.ts";
import { files } from "./capabilities/files.ts";
import { forks } from "./capabilities/forks.ts";
import { modules } from "./capabilities/modules.ts";
import { network } from "./capabilities/network.ts";
import { node } from "./capabilities/node.ts";
import { programs } from "./capabilities/programs.ts";
import { signals } from "./capabilities/signals.ts";
import { storage } from "./capabilities/storage.ts";
import { time } from "./capabilities/time.ts";
import { web } from "./capabilities/web.ts";

const DEADLINE = 10_000;
const AT_ONCE = 4;

/**
 * How many threads more the parent's pool may have in the end. On a busy machine a call finds none idle now and then, and has
 * one made; if each fork had one made, there would be as many as a pool can have, which is 32.
 */
const POOL_GROWTH = 12;

const capabilities: Readonly<Record<string, Capability>> = {
  ...forks,
  ...time,
  ...files,
  ...programs,
  ...network,
  ...modules,
  ...web,
  ...node,
  ...storage,
  ...signals,
  ...ends,
  ...belongings,
};

// The first two are forked by the main module itself, before the parent has done anything.
const atTopLevel: Record<string, [Child, Capability]> = {};
const silent = { child: () => {}, gives: undefined };

const throwing = Child.start();
if (throwing === null) {
  throw new SyntaxError("thrown at the top level");
}
atTopLevel["a throw at the top level"] = [throwing, {
  ...silent,
  ends: "exit 1",
  prints: [
    "error",
    "Uncaught",
    "SyntaxError: thrown at the top level",
    "_program.ts:",
  ],
}];

const waiting = Child.start();
if (waiting === null) {
  await sleep(5);
  console.log(await Deno.readTextFile("/proc/self/comm"));
} else {
  atTopLevel["a top-level await, then the end"] = [waiting, {
    ...silent,
    prints: ["deno"],
  }];
  // Not awaited: a child that falls off the end would be told that a top-level promise never settled.
  main();
}

async function main(): Promise<void> {
  for (const [name, [child, capability]] of Object.entries(atTopLevel)) {
    await attempt(name, () => judge(child, capability));
  }
  const wanted = Deno.args.length === 0
    ? Object.entries(capabilities)
    : Object.entries(capabilities).filter(([name]) =>
      Deno.args.some((part) => name.includes(part))
    );
  const present = wanted.filter(([name, { since }]) => {
    if (since === undefined || !isBefore(Deno.version.deno, since)) return true;
    report({ name, state: "absent", detail: `came with ${since}` });
    return false;
  });
  // Deno keeps some descriptors and threads of what it has done once: they are not the fork's.
  for (const [, { before, after }] of present) {
    if (before === undefined) continue;
    await before();
    await after?.();
  }
  await parentLives();
  const before = {
    descriptors: descriptors(),
    threads: ownThreads(),
    pool: poolSize(),
  };

  const together = present.filter(([, { before }]) => before === undefined);
  for (let at = 0; at < together.length; at += AT_ONCE) {
    await attemptTogether(together.slice(at, at + AT_ONCE));
  }
  for (const [name, capability] of present) {
    if (capability.before !== undefined) {
      await attempt(name, () => attemptAlone(capability));
    }
  }

  await attempt("the parent's event loop lives on", parentLives);
  await attempt(
    "the parent has the same descriptors",
    () => settlesAt(descriptors, before.descriptors),
  );
  await attempt(
    "the parent has no thread more",
    // A worker's may have gone meanwhile.
    () => settlesAt(ownThreads, before.threads, true),
  );
  await attempt(
    "the parent's pool has not grown with the forks",
    async () => {
      for (let i = 0; poolSize() > before.pool + POOL_GROWTH; i++) {
        if (i === 200) throw new Error(`${before.pool} became ${poolSize()}`);
        await sleep(5);
      }
    },
  );
  await attempt("the parent has no child left", () => settlesAt(children, []));
  Deno.removeSync(scratch, { recursive: true });
}

/** Forks a child for each, and lets the parent work while they do. */
async function attemptTogether(
  batch: readonly (readonly [string, Capability])[],
): Promise<void> {
  // Nothing is awaited from the first fork to the last: a timer of the parent's would be each child's too.
  const started: [string, Capability, Child][] = [];
  for (const [name, capability] of batch) {
    const child = Child.start();
    if (child === null) return await live(capability);
    started.push([name, capability, child]);
  }
  await Promise.all([
    attempt("", parentLives),
    ...started.map(([name, capability, child]) =>
      attempt(name, async () => {
        await Promise.all([
          capability.parent?.(child),
          judge(child, capability),
        ]);
      })
    ),
  ]);
}

async function attemptAlone(capability: Capability): Promise<void> {
  await capability.before?.();
  try {
    const child = Child.start();
    if (child === null) return await live(capability);
    const verdicts = await Promise.allSettled([
      capability.parent?.(child),
      judge(child, capability),
    ]);
    for (const verdict of verdicts) {
      if (verdict.status === "rejected") throw verdict.reason;
    }
  } finally {
    await capability.after?.();
  }
}

/** The life of a child. It never comes back to the parent's loop, and ends by having no more to do. */
async function live({ child }: Capability): Promise<never> {
  try {
    const result = await child();
    if (result !== undefined) sendResult(result);
  } catch (error) {
    console.error(error);
    _exit(99);
  }
  return await new Promise(() => {});
}

/** Waits for the child's end, and compares what it did with what it should have done. */
async function judge(child: Child, capability: Capability): Promise<void> {
  try {
    const { ends = "exit 0", gives, prints = [] } = capability;
    const deadline = performance.now() + DEADLINE;
    while (child.end === undefined) {
      child.printed;
      child.result;
      if (performance.now() > deadline) {
        throw new Error(`hangs: ${child.whereabouts()}; ${child.printed}`);
      }
      await sleep(2);
    }
    const said = child.printed === "" ? "" : `, printing ${child.printed}`;
    if (child.end !== ends) {
      throw new Error(`ended with ${child.end}, not ${ends}${said}`);
    }
    const [result, wanted] = [child.result, gives].map((value) =>
      JSON.stringify(value)
    );
    if (result !== wanted) {
      throw new Error(`gave ${result}, not ${wanted}${said}`);
    }
    // deno-lint-ignore no-control-regex -- older versions colour their errors whatever they are told
    const plain = child.printed.replace(/\x1b\[[\d;]*m/g, "");
    for (const text of prints) {
      if (plain.includes(text)) continue;
      throw new Error(`did not print ${JSON.stringify(text)}${said}`);
    }
  } finally {
    child.close();
  }
}

/** Reports on something, which fails by throwing. What has no name is reported only when it fails. */
async function attempt(
  name: string,
  action: () => Promise<void>,
): Promise<void> {
  const started = performance.now();
  try {
    await action();
    if (name === "") return;
    const milliseconds = Math.round(performance.now() - started);
    report({ name, state: "ok", detail: `${milliseconds} ms` });
  } catch (error) {
    report({
      name: name || "the parent works while its children do",
      state: "failed",
      detail: error instanceof Error ? error.message : String(error),
    });
  }
}

function report(line: Report): void {
  console.log(JSON.stringify(line));
}

/** Uses the parent's own event loop and pool, in all the ways that a fork could have broken. */
async function parentLives(): Promise<void> {
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    () => new Response("alive"),
  );
  // A client of its own leaves no connection behind.
  const client = Deno.createHttpClient({});
  const url = `http://127.0.0.1:${server.addr.port}/`;
  const path = `${scratch}/parent`;
  const [text, , { code }] = await Promise.all([
    fetch(url, { client }).then((response) => response.text()),
    Deno.writeTextFile(path, "alive"),
    new Deno.Command("true").output(),
    sleep(5),
  ]);
  client.close();
  await server.shutdown();
  if (text !== "alive") throw new Error(`the parent fetched ${text}`);
  if (code !== 0) throw new Error(`the parent's command gave ${code}`);
  if (await Deno.readTextFile(path) !== "alive") {
    throw new Error("the parent read something else than it wrote");
  }
}

/** How long Deno keeps a thread asleep that is to end a worker by force if it has not ended when asked: twice that and more. */
const SETTLED_WITHIN = 5000;

/** Waits until a list is what it was, whatever the order. */
async function settlesAt(
  list: () => readonly string[],
  before: readonly string[],
  mayLose = false,
): Promise<void> {
  const without = (some: readonly string[], others: readonly string[]) => {
    const rest = [...some];
    for (const other of others) {
      const index = rest.indexOf(other);
      if (index !== -1) rest.splice(index, 1);
    }
    return rest;
  };
  const deadline = performance.now() + SETTLED_WITHIN;
  for (;;) {
    const now = list();
    const [come, gone] = [without(now, before), without(before, now)];
    if (come.length === 0 && (mayLose || gone.length === 0)) return;
    if (performance.now() > deadline) {
      throw new Error(`new: [${come}]; gone: [${gone}]`);
    }
    await sleep(5);
  }
}

/** What is open, by kind: numbers may differ. */
function descriptors(): string[] {
  return [...Deno.readDirSync("/proc/self/fd")].flatMap(({ name }) => {
    try {
      const target = Deno.readLinkSync(`/proc/self/fd/${name}`);
      // The directory itself, while it is read.
      if (target.startsWith("/proc/")) return [];
      return [target.replace(/:\[\d+\]$/, "")];
    } catch {
      return [];
    }
  });
}

function threads(): string[] {
  return [...Deno.readDirSync("/proc/self/task")].map(({ name }) =>
    Deno.readTextFileSync(`/proc/self/task/${name}/comm`).trim()
  );
}

const inPool = (name: string) => name.startsWith("tokio-runtime");

/** All but those of the pool, which come with work and go when there has been none for ten seconds. */
function ownThreads(): string[] {
  return threads().filter((name) => !inPool(name));
}

function poolSize(): number {
  return threads().filter(inPool).length;
}

function children(): string[] {
  return [...Deno.readDirSync("/proc/self/task")]
    .map(({ name }) =>
      Deno.readTextFileSync(`/proc/self/task/${name}/children`)
    )
    .join("").split(" ").filter((pid) => pid !== "");
}
