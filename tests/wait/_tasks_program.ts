/** Waits for as many children as it takes until the library loads its bell, and fails if that lets other tasks run in between. */
import { assertEquals } from "@std/assert";
import { waitAsync } from "../../wait/mod.ts";
import { openSignalDescriptors, withoutLeaks } from "../_helpers.ts";
import { Gate } from "./_children.ts";

const CHILDREN = 16;

openSignalDescriptors();

await withoutLeaks(async () => {
  const gate = new Gate();
  const pids = Array.from({ length: CHILDREN }, (_, code) => gate.fork(code));
  // In a callback of the event loop: where a task runs already, no other one would begin.
  const waits = await new Promise<Promise<{ raw: number }>[]>((resolve) => {
    setTimeout(() => {
      let others = 0;
      Promise.resolve().then(() => others++);
      const waits = pids.map((pid) => waitAsync(pid));
      assertEquals(others, 0);
      resolve(waits);
    });
  });
  gate.open();
  const results = await Promise.all(waits);
  assertEquals(results.map(({ raw }) => raw >> 8), [...pids.keys()]);
})();
console.log("nothing in between");
