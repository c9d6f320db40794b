/** Forks many times in a row; the first argument says what. Fails unless every child ends as it should and nothing is left. */
import { assertEquals } from "@std/assert";
import { writeAll } from "../../ipc/mod.ts";
import { forkChild } from "../../process/mod.ts";
import { forkWith, reap, withoutLeaks } from "../_helpers.ts";

/** Makes garbage, some of which lives on, and new functions that are hot enough to be optimised. */
function beBusy(kept: unknown[], seed: number): void {
  const hot = (0, eval)(
    `(n) => { let s = 0; for (let i = 0; i < n; i++) s += i ^ ${seed}; return s; }`,
  );
  for (let i = 0; i < 20; i++) hot(2000);
  const garbage: unknown[] = [];
  for (let i = 0; i < 4000; i++) {
    garbage.push({ i, seed, text: `${seed}/${i}` });
  }
  kept[Math.abs(seed) % 50] = garbage.slice(0, 500);
}

const loops: Record<string, () => void | Promise<void>> = {
  "fork": () => {
    for (let i = 0; i < 500; i++) {
      assertEquals(reap(forkWith(() => i % 250)), (i % 250) << 8);
    }
  },
  "busy": () => {
    const kept: unknown[] = [];
    for (let i = 0; i < 100; i++) {
      beBusy(kept, i);
      const child = forkWith(() => {
        beBusy(kept, -i);
        return 3;
      });
      beBusy(kept, i + 1);
      assertEquals(reap(child), 3 << 8);
    }
  },
  "fork-child": async () => {
    for (let i = 0; i < 100; i++) {
      const child = await forkChild(() => void writeAll(1, ""), {
        stdout: "piped",
      });
      assertEquals((await child.output()).code, 0);
    }
  },
};

// Deno opens descriptors for its signals when first asked, or half a second after the start: let it be done before they are counted.
const listener = () => {};
Deno.addSignalListener("SIGUSR2", listener);
Deno.removeSignalListener("SIGUSR2", listener);

const [name = ""] = Deno.args;
await withoutLeaks(loops[name]!)();
console.log("nothing lost");
