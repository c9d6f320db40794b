import { nextTick } from "node:process";
import { type Capabilities, sleep } from "../_capability.ts";

/** The event loop itself. */
export const time: Capabilities = {
  "timers fire in order and on time": {
    async child() {
      const started = performance.now();
      const order: number[] = [];
      // Far enough from each other for a machine that lets a program wait between setting one and the next.
      await Promise.all([150, 10, 80].map(async (milliseconds) => {
        await sleep(milliseconds);
        order.push(milliseconds);
      }));
      return { order, early: performance.now() - started < 149 };
    },
    gives: { order: [10, 80, 150], early: false },
  },
  "setInterval ticks, a cleared one no more": {
    async child() {
      let ticks = 0;
      await new Promise<void>((resolve) => {
        const interval = setInterval(() => {
          if (++ticks < 5) return;
          clearInterval(interval);
          resolve();
        }, 2);
      });
      await sleep(10);
      return ticks;
    },
    gives: 5,
  },
  "microtasks run before timers": {
    async child() {
      const order: string[] = [];
      setTimeout(() => order.push("timer"), 0);
      nextTick(() => order.push("tick"));
      queueMicrotask(() => order.push("microtask"));
      await sleep(5);
      return order.sort().join() === "microtask,tick,timer" &&
        order.indexOf("microtask");
    },
    gives: 0,
  },
  "performance and Deno.memoryUsage": {
    child() {
      performance.mark("a");
      const before = performance.now();
      while (performance.now() < before + 2);
      const { duration } = performance.measure("m", "a");
      const { rss, heapUsed } = Deno.memoryUsage();
      return duration >= 2 && heapUsed > 1e6 && rss > heapUsed / 2;
    },
    gives: true,
  },
  "code becomes hot and garbage is collected": {
    child() {
      let sum = 0;
      const add = (n: number) => ({ n, text: `${n}` }).n % 7;
      for (let i = 0; i < 2_000_000; i++) sum += add(i);
      return sum;
    },
    gives: 5_999_995,
  },
};
