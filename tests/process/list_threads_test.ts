import { assert, assertEquals, assertLess, assertThrows } from "@std/assert";
import { PosixError } from "../../ffi/errors.ts";
import { forkSymbols } from "../../ffi/_symbols.ts";
import { getpid } from "../../process/ids.ts";
import { kill } from "../../process/kill.ts";
import { listThreads, type ThreadInfo } from "../../process/list_processes.ts";
import { setName } from "../../process/attributes.ts";
import { forkWith, readText, reap, until, withoutLeaks } from "../_helpers.ts";
import { withShell } from "./_tree.ts";

const NOBODY = 2_147_483_647;

Deno.test(
  "listThreads() has the calling thread and the main one, with their names",
  withoutLeaks(() => {
    const threads = listThreads(getpid());
    assertEquals(threads[0]?.tid, getpid());
    for (const tid of [getpid(), forkSymbols().gettid()]) {
      const thread = threads.find((thread) => thread.tid === tid)!;
      const comm = readText(`/proc/self/task/${tid}/comm`);
      assertEquals(`${thread.name}\n`, comm);
      assert(thread.cpuTime >= 0);
      assert("RS".includes(thread.state));
    }
  }),
);

Deno.test(
  "listThreads() gives the one thread of a simple program",
  withoutLeaks(() =>
    withShell("exec sleep 1000", [], async (pid) => {
      await until(() => listThreads(pid)[0]?.name === "sleep");
      const [{ tid, name, cpuTime }, ...others] = listThreads(pid) as [
        ThreadInfo,
      ];
      assertEquals({ tid, name, others }, {
        tid: pid,
        name: "sleep",
        others: [],
      });
      assertLess(cpuTime, 1);
      kill(pid, "SIGKILL");
      reap(pid);
    })
  ),
);

Deno.test(
  "listThreads() takes any name for what it is",
  withoutLeaks(() => {
    const raw = reap(forkWith(() => {
      setName("a) R (b");
      const main = listThreads(getpid()).find(({ tid }) => tid === getpid());
      assertEquals(main?.name, "a) R (b");
    }));
    assertEquals(raw, 0);
  }),
);

Deno.test("listThreads() throws ESRCH where there is no such process", () => {
  const error = assertThrows(() => listThreads(NOBODY), PosixError);
  assertEquals([error.code, error.path], ["ESRCH", `/proc/${NOBODY}/task`]);
});

Deno.test("listThreads() refuses what is no pid", () => {
  for (const pid of [0, -1, 0.5, NaN, 2 ** 31]) {
    assertThrows(() => listThreads(pid), RangeError, "'pid'");
  }
});
