/** Waits for many children; the first argument says how. Fails unless each ends as it should and nothing is left. */
import { assert, assertEquals } from "@std/assert";
import { waitAsync } from "../../wait/mod.ts";
import {
  assertOpenDescriptors,
  openDescriptors,
  openSignalDescriptors,
  until,
  withoutLeaks,
} from "../_helpers.ts";
import { Gate, threads } from "./_children.ts";

const loops: Record<string, () => Promise<void>> = {
  "at-once": async () => {
    const gate = new Gate();
    const pids = Array.from({ length: 200 }, (_, i) => gate.fork(i));
    const before = threads();
    const promises = pids.map((pid) => waitAsync(pid));
    // A few turns of the event loop, for poll to be called again with all of them.
    let ticks = 0;
    await until(() => ++ticks > 5);
    const during = threads();
    gate.open();
    const results = await Promise.all(promises);
    assertEquals(results.map(({ pid }) => pid), pids);
    assertEquals(results.map(({ raw }) => raw >> 8), pids.map((_, i) => i));
    // Deno's pool starts a second thread if the first is not quite idle yet when poll is called again.
    for (const count of [during, threads()]) {
      assert(count <= before + 2, `${count} threads after ${before}`);
    }
  },
  "in-turn": async () => {
    const before = openDescriptors();
    for (let i = 0; i < 150; i++) {
      const gate = new Gate();
      const promise = waitAsync(gate.fork(i % 256));
      gate.open();
      assertEquals((await promise).raw, (i % 256) << 8);
    }
    assertOpenDescriptors(before);
  },
};

openSignalDescriptors();
const [name = ""] = Deno.args;
await withoutLeaks(loops[name]!)();
console.log("nothing lost");
