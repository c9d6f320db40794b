import { assertEquals, assertGreaterOrEqual } from "@std/assert";
import { poll } from "../../ipc/poll.ts";
import { alarm, setitimer } from "../../process/timers.ts";
import { getpid } from "../../process/ids.ts";
import { kill } from "../../process/kill.ts";
import { pause, sigpending, sigprocmask } from "../../process/signal_mask.ts";
import { setSignal } from "../../process/set_signal.ts";
import { signals } from "../../process/signal_stream.ts";
import {
  forkWith,
  forkWithAsync,
  reap,
  until,
  withoutLeaks,
} from "../_helpers.ts";

Deno.test(
  "pause() returns when a signal comes that somebody listens for, and the listener is called afterwards",
  withoutLeaks(async () => {
    const test = async () => {
      let heard = 0;
      const listener = () => heard++;
      Deno.addSignalListener("SIGALRM", listener);
      const start = performance.now();
      // Again and again: one that came before the call would be missed.
      setitimer("ITIMER_REAL", 0.02, 0.02);
      pause();
      assertGreaterOrEqual(performance.now() - start, 19);
      assertEquals(heard, 0);
      pause();
      await until(() => heard > 0);
      setitimer("ITIMER_REAL", 0);
      // One that Deno is still about to tell of would end the process once nobody listens.
      await new Promise((resolve) => setTimeout(resolve, 20));
      Deno.removeSignalListener("SIGALRM", listener);
      const stream = signals("SIGALRM");
      setitimer("ITIMER_REAL", 0.005, 0.005);
      pause();
      setitimer("ITIMER_REAL", 0);
      assertEquals((await stream.next()).value?.signal, "SIGALRM");
      await stream.return();
    };
    await test();
    assertEquals(reap(await forkWithAsync(test)), 0);
  }),
);

Deno.test(
  "pause() is ended by a signal that ends the process, with listeners for others or without",
  withoutLeaks(async () => {
    const alone = forkWith(() => {
      setitimer("ITIMER_REAL", 0.05);
      pause();
    });
    assertEquals(reap(alone), 14);
    const listening = await forkWithAsync(() => {
      Deno.addSignalListener("SIGUSR1", () => {});
      setitimer("ITIMER_REAL", 0.05);
      pause();
    });
    assertEquals(reap(listening), 14);
    const taken = await forkWithAsync(() => {
      Deno.addSignalListener("SIGALRM", () => {});
      setSignal("SIGALRM", "default");
      setitimer("ITIMER_REAL", 0.05);
      pause();
    });
    assertEquals(reap(taken), 14);
  }),
);

Deno.test(
  "pause() goes on through signals that are blocked or ignored",
  withoutLeaks(async () => {
    const child = await forkWithAsync(() => {
      alarm(20);
      const waiter = getpid();
      sigprocmask("SIG_BLOCK", ["SIGUSR2"]);
      setSignal("SIGHUP", "ignore");
      let heard = false;
      Deno.addSignalListener("SIGUSR1", () => heard = true);
      kill(waiter, "SIGUSR2");
      const sender = forkWith(() => {
        kill(waiter, "SIGHUP");
        kill(waiter, "SIGUSR2");
        // Again and again: one that came before the call would be missed.
        for (let i = 0; i < 5000; i++) {
          kill(waiter, "SIGUSR1");
          poll([], 2);
        }
      });
      pause();
      assertEquals(sigpending(), ["SIGUSR2"]);
      assertEquals(heard, false);
      kill(sender, "SIGKILL");
      reap(sender);
    });
    assertEquals(reap(child), 0);
  }),
);
