import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { getpid } from "../../process/ids.ts";
import { kill, sigqueue } from "../../process/kill.ts";
import { signals } from "../../process/signal_stream.ts";
import type { Signal } from "../../process/signals.ts";
import { sigprocmask } from "../../process/signal_mask.ts";
import {
  assertOpenDescriptors,
  forkWith,
  forkWithAsync,
  openDescriptors,
  reap,
  until,
  withoutLeaks,
} from "../_helpers.ts";
import { runProgram } from "../_run_program.ts";
import { has } from "./_signals.ts";

Deno.test(
  "signals() gives what comes from the call on, in order, with its sender, and lets go when the loop is left",
  withoutLeaks(async () => {
    const before = openDescriptors();
    const stream = signals("SIGUSR1", "SIGRTMIN", 2);
    sigqueue(getpid(), "SIGRTMIN", 1);
    const parent = getpid();
    const child = forkWith(() => kill(parent, "SIGUSR1"));
    assertEquals(reap(child), 0);
    const seen: unknown[] = [];
    for await (const { signal, pid, value } of stream) {
      seen.push([signal, pid, value]);
      if (seen.length === 2) sigqueue(parent, "SIGRTMIN", 2);
      if (seen.length === 3) kill(parent, "SIGINT");
      if (signal === "SIGINT") break;
    }
    const [first, second, ...rest] = seen;
    assertEquals(
      [first, second].toSorted(),
      [["SIGRTMIN", parent, 1], ["SIGUSR1", child, null]],
    );
    assertEquals(rest, [
      ["SIGRTMIN", parent, 2],
      ["SIGINT", parent, null],
    ]);
    assertOpenDescriptors(before);
    assertEquals(has("SigCgt", 34), false);
    assertEquals(await stream.next(), { done: true, value: undefined });
  }),
);

Deno.test(
  "signals() loses nothing while the loop is busy or the thread is blocked, and wakes one who waits",
  withoutLeaks(async () => {
    const stream = signals("SIGRTMIN+1");
    const parent = getpid();
    const child = forkWith(() => {
      for (let i = 0; i < 500; i++) sigqueue(parent, "SIGRTMIN+1", i);
    });
    const values: number[] = [];
    for (let i = 0; i < 500; i++) {
      const { value } = await stream.next();
      values.push(value!.value!);
      if (i === 100) reap(child); // blocks
      if (i % 100 === 0) await new Promise((resolve) => setTimeout(resolve, 2));
    }
    // Those that hit two threads at once may come in either order.
    values.sort((a, b) => a - b);
    assertEquals(values, Array.from({ length: 500 }, (_, i) => i));
    const waiting = [stream.next(), stream.next()];
    await new Promise((resolve) => setTimeout(resolve, 2));
    sigqueue(parent, "SIGRTMIN+1", -1);
    assertEquals((await waiting[0]!).value!.value, -1);
    sigqueue(parent, "SIGRTMIN+1", -2);
    assertEquals((await waiting[1]!).value!.value, -2);
    await stream.return();
  }),
);

Deno.test(
  "signals() serves several iterations and Deno's listeners alike",
  withoutLeaks(async () => {
    let heard = 0;
    const listener = () => heard++;
    Deno.addSignalListener("SIGTERM", listener);
    const [one, two] = [signals("SIGTERM"), signals("SIGTERM", "SIGHUP")];
    kill(getpid(), "SIGTERM");
    for (const stream of [one, two]) {
      assertEquals((await stream.next()).value?.signal, "SIGTERM");
    }
    await until(() => heard === 1);
    await one.return();
    kill(getpid(), "SIGTERM");
    assertEquals((await two.next()).value?.signal, "SIGTERM");
    await until(() => heard === 2);
    await two.return();
    kill(getpid(), "SIGTERM");
    await until(() => heard === 3);
    Deno.removeSignalListener("SIGTERM", listener);
  }),
);

Deno.test(
  "signals() gets what was blocked when it is unblocked",
  withoutLeaks(async () => {
    const stream = signals("SIGUSR2");
    sigprocmask("SIG_BLOCK", ["SIGUSR2"]);
    kill(getpid(), "SIGUSR2");
    let come = false;
    const next = stream.next().then((result) => {
      come = true;
      return result;
    });
    await new Promise((resolve) => setTimeout(resolve, 10));
    assert(!come);
    sigprocmask("SIG_UNBLOCK", ["SIGUSR2"]);
    assertEquals((await next).value?.pid, getpid());
    await stream.return();
  }),
);

Deno.test(
  "signals() ends with an AbortSignal's reason, after what has come before, and by using",
  withoutLeaks(async () => {
    const controller = new AbortController();
    const { signal } = controller;
    const stream = signals("SIGUSR1", "SIGUSR2", { signal });
    kill(getpid(), "SIGUSR1");
    controller.abort(new Error("enough"));
    assertEquals((await stream.next()).value?.signal, "SIGUSR1");
    await assertRejects(() => stream.next(), Error, "enough");
    assertEquals((await stream.next()).done, true);
    assertThrows(() => signals("SIGUSR1", { signal }), Error, "enough");

    const second = new AbortController();
    const waiting = signals("SIGUSR1", { signal: second.signal });
    const pending = [waiting.next(), waiting.next()];
    second.abort(new Error("stop"));
    await assertRejects(() => pending[0]!, Error, "stop");
    assertEquals((await pending[1]!).done, true);

    let left;
    {
      await using stream = signals("SIGUSR2");
      left = stream.next();
    }
    assertEquals(await left, { done: true, value: undefined });
  }),
);

Deno.test(
  "signals() works in a forked child, begun by its parent or by itself, each with its own signals",
  withoutLeaks(async () => {
    const inherited = signals("SIGUSR1", "SIGRTMIN");
    const pending = inherited.next();
    sigqueue(getpid(), "SIGRTMIN", 1);
    const child = await forkWithAsync(async () => {
      // The parent's waiting goes on in the child as well, but does not keep it alive.
      let come = 0;
      pending.then(({ value }) => come = value!.pid!);
      kill(getpid(), "SIGUSR1");
      await until(() => come === getpid());
      sigqueue(getpid(), "SIGRTMIN", 2);
      assertEquals((await inherited.next()).value?.value, 2);
      const own = signals("SIGUSR2");
      kill(getpid(), "SIGUSR2");
      assertEquals((await own.next()).value?.signal, "SIGUSR2");
      await own.return();
      await inherited.return();
      kill(getpid(), "SIGUSR2");
    });
    assertEquals(reap(child), 12);
    assertEquals((await pending).value?.value, 1);
    await inherited.return();
  }),
);

Deno.test(
  "signals() keeps the process alive while somebody waits, and no longer",
  withoutLeaks(async () => {
    const result = await runProgram(
      new URL("_signals_program.ts", import.meta.url),
    );
    assertEquals(result, {
      code: 0,
      stdout: "SIGALRM\nSIGALRM\nSIGTERM ignored\nthe end\n",
      stderr: "",
    });
  }),
);

Deno.test("signals() refuses what cannot be caught before it does anything", () => {
  assertThrows(() => signals(), RangeError, "'signals'");
  assertThrows(() => signals({}), RangeError, "'signals'");
  for (const wrong of ["SIGKILL", "SIGSTOP", "SIGSEGV", "SIGFPE", 9] as const) {
    assertThrows(() => signals("SIGUSR2", wrong), TypeError, "'signals[1]'");
  }
  for (const wrong of [0, 33, 65, -1]) {
    assertThrows(() => signals("SIGUSR2", wrong), RangeError, "'signals[1]'");
  }
  assertThrows(() => signals("SIGUSR" as Signal), TypeError, "did you mean");
  assertThrows(
    // @ts-expect-error: no signal
    () => signals("SIGUSR2", { signal: {} }),
    TypeError,
    "'signal' must be an AbortSignal",
  );
});
