import { assertEquals, assertThrows } from "@std/assert";
import { execv } from "../../exec/mod.ts";
import { close, dup2, pipe, readAll } from "../../ipc/mod.ts";
import { getpid } from "../../process/ids.ts";
import { kill } from "../../process/kill.ts";
import { setSignal } from "../../process/set_signal.ts";
import type { Signal } from "../../process/signals.ts";
import { sigprocmask } from "../../process/signal_mask.ts";
import {
  forkWith,
  forkWithAsync,
  reap,
  until,
  withoutLeaks,
} from "../_helpers.ts";
import { has } from "./_signals.ts";

Deno.test(
  "setSignal() has a signal do nothing, and then again what it does by default",
  withoutLeaks(() => {
    for (const signal of ["SIGTERM", "SIGINT", "SIGQUIT", 40] as const) {
      const child = forkWith(() => {
        setSignal(signal, "ignore");
        kill(getpid(), signal);
        setSignal(signal, "default");
        kill(getpid(), signal);
        return 7;
      });
      const number = { SIGTERM: 15, SIGINT: 2, SIGQUIT: 3, 40: 40 }[signal];
      assertEquals(reap(child) & 0x7f, number);
    }
  }),
);

Deno.test(
  "setSignal() takes a signal from its listeners, and the next one that is added takes it back",
  withoutLeaks(async () => {
    const test = async () => {
      let heard = 0;
      const first = () => heard++;
      const second = () => heard++;
      Deno.addSignalListener("SIGWINCH", first);
      setSignal("SIGWINCH", "ignore");
      assertEquals(has("SigIgn", 28), true);
      kill(getpid(), "SIGWINCH");
      await new Promise((resolve) => setTimeout(resolve, 20));
      assertEquals(heard, 0);
      Deno.addSignalListener("SIGWINCH", second);
      kill(getpid(), "SIGWINCH");
      await until(() => heard === 2);
      setSignal("SIGWINCH", "default");
      Deno.removeSignalListener("SIGWINCH", first);
      Deno.removeSignalListener("SIGWINCH", second);
    };
    await test();
    assertEquals(reap(await forkWithAsync(test)), 0);
  }),
);

Deno.test(
  "setSignal() sets what a blocked signal does in the end",
  withoutLeaks(() => {
    const child = forkWith(() => {
      sigprocmask("SIG_BLOCK", ["SIGTERM", "SIGHUP"]);
      setSignal("SIGTERM", "ignore");
      for (const signal of ["SIGTERM", "SIGHUP"] as const) {
        kill(getpid(), signal);
      }
      sigprocmask("SIG_UNBLOCK", ["SIGTERM"]);
      sigprocmask("SIG_UNBLOCK", ["SIGHUP"]);
    });
    assertEquals(reap(child), 1);
  }),
);

Deno.test(
  "setSignal() is handed on to forked children, and what is ignored to the program that the process becomes",
  withoutLeaks(() => {
    const [reader, writer] = pipe();
    const child = forkWith(() => {
      setSignal("SIGHUP", "ignore");
      setSignal("SIGUSR2", "default");
      const grandchild = forkWith(() => {
        kill(getpid(), "SIGHUP");
        dup2(writer, 1);
        execv("/bin/sh", ["sh", "-c", "grep SigIgn /proc/$$/status"]);
      });
      assertEquals(reap(grandchild), 0);
    });
    close(writer);
    const [, mask] = /^SigIgn:\s*([0-9a-f]+)/.exec(
      new TextDecoder().decode(readAll(reader)),
    )!;
    assertEquals(BigInt(`0x${mask}`) & 0x801n, 1n); // SIGHUP, not SIGUSR2
    close(reader);
    assertEquals(reap(child), 0);
  }),
);

Deno.test("setSignal() refuses SIGKILL, SIGSTOP and what is no signal or disposition", () => {
  for (const signal of ["SIGKILL", "SIGSTOP", 9, 19] as const) {
    for (const disposition of ["default", "ignore"] as const) {
      assertThrows(
        () => setSignal(signal, disposition),
        TypeError,
        "'signal' must be a signal that can be caught",
      );
    }
  }
  for (const signal of [0, 32, 33, 65, -1, 0.5]) {
    assertThrows(() => setSignal(signal, "ignore"), RangeError, "'signal'");
  }
  assertThrows(() => setSignal("TERM" as Signal, "ignore"), TypeError);
  assertThrows(
    // @ts-expect-error: no such disposition
    () => setSignal("SIGTERM", "ignored"),
    TypeError,
    `did you mean "ignore"`,
  );
  // @ts-expect-error: handlers are for Deno.addSignalListener
  assertThrows(() => setSignal("SIGTERM", () => {}), TypeError, "disposition");
});
