import { getpid } from "../../../process/ids.ts";
import { kill } from "../../../process/kill.ts";
import { setSignal } from "../../../process/set_signal.ts";
import type { Signal } from "../../../process/signals.ts";
import type { Child } from "../_child.ts";
import { type Capabilities, sleep, until } from "../_capability.ts";

/** Resolves at the signal; says so beforehand, so that the parent can send it. */
function nextSignal(signal: Signal & Deno.Signal): Promise<string> {
  return new Promise((resolve) => {
    // A listener keeps nobody alive, in a child as anywhere.
    const alive = setInterval(() => {}, 1000);
    const listener = () => {
      clearInterval(alive);
      Deno.removeSignalListener(signal, listener);
      resolve(signal);
    };
    Deno.addSignalListener(signal, listener);
    console.log("ready");
  });
}

async function sendWhenReady(
  child: Child,
  signal: Signal & Deno.Signal,
): Promise<void> {
  await until(() => child.printed.includes("ready"), "the child gets ready");
  kill(child.pid, signal);
}

/** A child that would live on if nothing ended it. */
async function linger(): Promise<string> {
  console.log("ready");
  await sleep(8000);
  return "still there";
}

/** What the parent's own listeners have heard. */
const heard: string[] = [];
const hear = () => heard.push(`${getpid()}`);

async function heardHere(signal: Signal & Deno.Signal): Promise<void> {
  heard.length = 0;
  kill(getpid(), signal);
  await until(() => heard.length > 0, "the parent's listener hears a signal");
}

async function listen(): Promise<void> {
  Deno.addSignalListener("SIGUSR2", hear);
  await heardHere("SIGUSR2");
}

async function stillHeard(): Promise<void> {
  await heardHere("SIGUSR2");
  Deno.removeSignalListener("SIGUSR2", hear);
}

/** Signals. */
export const signals: Capabilities = {
  "SIGTERM ends a child": {
    child: linger,
    parent: (child) => sendWhenReady(child, "SIGTERM"),
    ends: "SIGTERM",
  },
  "SIGINT ends a child": {
    child() {
      // A shell has what it starts in the background ignore it.
      setSignal("SIGINT", "default");
      return linger();
    },
    parent: (child) => sendWhenReady(child, "SIGINT"),
    ends: "SIGINT",
  },
  "a child's signal listener": {
    child: () => nextSignal("SIGUSR1"),
    parent: (child) => sendWhenReady(child, "SIGUSR1"),
    gives: "SIGUSR1",
  },
  "a child's signal listener, for its own signal": {
    async child() {
      const signal = nextSignal("SIGUSR1");
      kill(getpid(), "SIGUSR1");
      return await signal;
    },
    gives: "SIGUSR1",
  },
  "a child's SIGTERM listener, then the default again": {
    async child() {
      await nextSignal("SIGTERM");
      await linger();
    },
    async parent(child) {
      await sendWhenReady(child, "SIGTERM");
      await until(
        () => child.printed.split("ready").length === 3,
        "the child hears the signal",
      );
      kill(child.pid, "SIGTERM");
    },
    ends: "SIGTERM",
  },
  "the parent's listener hears the child's signals in the child": {
    before: listen,
    async child() {
      heard.length = 0;
      console.log("ready");
      await until(() => heard.length > 0, "the child hears the signal");
      return heard[0] === `${getpid()}`;
    },
    async parent(child) {
      heard.length = 0;
      await sendWhenReady(child, "SIGUSR2");
      await until(() => child.end !== undefined, "the child ends", 8000);
      if (heard.length > 0) throw new Error("the parent heard it");
    },
    gives: true,
    after: stillHeard,
  },
  "a child's own listener beside the parent's": {
    before: listen,
    child: () => nextSignal("SIGUSR1"),
    parent: (child) => sendWhenReady(child, "SIGUSR1"),
    gives: "SIGUSR1",
    after: stillHeard,
  },
  "SIGTERM ends a child whose parent listens to another signal": {
    before: listen,
    child: linger,
    parent: (child) => sendWhenReady(child, "SIGTERM"),
    ends: "SIGTERM",
    after: stillHeard,
  },
  "a listener taken back in the child is the parent's still": {
    before: listen,
    child() {
      Deno.removeSignalListener("SIGUSR2", hear);
      return linger();
    },
    parent: (child) => sendWhenReady(child, "SIGUSR2"),
    ends: "SIGUSR2",
    after: stillHeard,
  },
};
