import { assertEquals, assertThrows } from "@std/assert";
import { PosixError } from "../../ffi/errors.ts";
import { wait } from "../../wait/mod.ts";
import { forkWith, withoutLeaks } from "../_helpers.ts";
import { Gate, inOwnProcess, send } from "./_children.ts";

Deno.test(
  "wait() reaps whichever child ends, until there are none and it throws ECHILD",
  withoutLeaks(() =>
    inOwnProcess(() => {
      const gates = [new Gate(), new Gate()] as const;
      const [first, second] = [gates[0].fork(1), gates[1].fork(2)];
      gates[1].open();
      assertEquals(wait().pid, second);
      gates[0].open();
      assertEquals(wait().pid, first);
      const error = assertThrows(wait, PosixError, "Cannot wait for any child");
      assertEquals([error.code, error.syscall], ["ECHILD", "wait"]);
    })
  ),
);

Deno.test(
  "wait() passes over a child that is stopped, and never gives null",
  withoutLeaks(() =>
    inOwnProcess(() => {
      const gate = new Gate();
      const held = gate.fork(0);
      send(held, "SIGSTOP");
      const ended = forkWith(() => 5);
      assertEquals(wait(), {
        pid: ended,
        raw: 0x0500,
        status: { kind: "exited", code: 5 },
      });
      send(held, "SIGKILL");
      assertEquals(wait().pid, held);
      gate.open();
    })
  ),
);
