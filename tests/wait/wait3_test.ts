import { assert, assertEquals, assertThrows } from "@std/assert";
import { PosixError } from "../../ffi/errors.ts";
import { processSymbols } from "../../ffi/_symbols.ts";
import { wait3, WNOHANG, WUNTRACED } from "../../wait/mod.ts";
import { forkWith, withoutLeaks } from "../_helpers.ts";
import { Gate, inOwnProcess, send } from "./_children.ts";

Deno.test(
  "wait3() gives any child's end and usage, null while all run, ECHILD when there are none",
  withoutLeaks(() =>
    inOwnProcess(() => {
      const gate = new Gate();
      const pid = gate.fork(3);
      assertEquals(wait3(WNOHANG), null);
      gate.open();
      const result = wait3()!;
      assertEquals([result.pid, result.raw], [pid, 0x0300]);
      assertEquals(result.status, { kind: "exited", code: 3 });
      assert(result.rusage.maxrss > 0);
      for (const options of [0, WNOHANG]) {
        const error = assertThrows(() => wait3(options), PosixError);
        assertEquals([error.code, error.syscall], ["ECHILD", "wait3"]);
      }
    })
  ),
);

Deno.test(
  "wait3() takes the options of waitpid()",
  withoutLeaks(() =>
    inOwnProcess(() => {
      const pid = forkWith(() => send(processSymbols().getpid(), "SIGSTOP"));
      assertEquals(wait3(WUNTRACED)?.raw, 0x137f);
      send(pid, "SIGKILL");
      assertEquals(wait3()?.raw, 9);
      assertThrows(() => wait3(0.5), RangeError, `'options'`);
      const gate = new Gate();
      const held = gate.fork(0);
      const error = assertThrows(() => wait3(0x10), PosixError);
      assertEquals(error.code, "EINVAL");
      gate.open();
      assertEquals(wait3()?.pid, held);
    })
  ),
);
