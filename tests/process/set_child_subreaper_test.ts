import {
  assert,
  assertEquals,
  assertNotEquals,
  assertThrows,
} from "@std/assert";
import { close, pipe, poll, readAll, writeAll } from "../../ipc/mod.ts";
import { fork } from "../../process/fork.ts";
import { getpid, getppid } from "../../process/ids.ts";
import { setChildSubreaper } from "../../process/attributes.ts";
import { waitpid } from "../../wait/wait.ts";
import { forkWith, reap, withoutLeaks } from "../_helpers.ts";

/** The pid of a grandchild, and of the parent that it has after its own has ended. */
function orphan(): { pid: number; ppid: number } {
  const [reader, writer] = pipe();
  const middle = forkWith(() => {
    const parent = getpid();
    if (fork() !== 0) return;
    for (let i = 0; i < 10_000 && getppid() === parent; i++) poll([], 1);
    writeAll(writer, `${getpid()} ${getppid()}`);
  });
  close(writer);
  assertEquals(reap(middle), 0);
  const [pid, ppid] = new TextDecoder().decode(readAll(reader)).split(" ");
  close(reader);
  return { pid: Number(pid), ppid: Number(ppid) };
}

Deno.test(
  "setChildSubreaper() has orphans fall to the process, to be waited for, until it is switched off",
  withoutLeaks(() => {
    const raw = reap(forkWith(() => {
      setChildSubreaper(true);
      const kept = orphan();
      assertEquals(kept.ppid, getpid());
      assertEquals(reap(kept.pid), 0);
      setChildSubreaper(false);
      const lost = orphan();
      assertNotEquals(lost.ppid, getpid());
      assert(lost.ppid > 0);
      assertThrows(() => waitpid(lost.pid), Error, "ECHILD");
    }));
    assertEquals(raw, 0);
  }),
);

Deno.test("setChildSubreaper() refuses what is no boolean", () => {
  for (const on of [1, 0, null, undefined, "true"]) {
    assertThrows(
      () => setChildSubreaper(on as unknown as boolean),
      TypeError,
      "'on'",
    );
  }
});
