/** Forks many times in a row; the first argument says what. Fails unless every child ends as it should and nothing is left. */
import { assertEquals } from "@std/assert";
import { writeAll } from "../../ipc/mod.ts";
import { forkChild } from "../../process/mod.ts";
import {
  forkWith,
  openSignalDescriptors,
  reap,
  withoutLeaks,
} from "../_helpers.ts";
import { beBusy } from "../soak/_work.ts";

const loops: Record<string, () => void | Promise<void>> = {
  "fork": () => {
    for (let i = 0; i < 500; i++) {
      assertEquals(reap(forkWith(() => i % 250)), (i % 250) << 8);
    }
  },
  "busy": () => {
    for (let i = 0; i < 100; i++) {
      beBusy(i);
      const child = forkWith(() => {
        beBusy(-i);
        return 3;
      });
      beBusy(i + 1);
      assertEquals(reap(child), 3 << 8);
    }
  },
  "fork-child": async () => {
    for (let i = 0; i < 40; i++) {
      const child = await forkChild(() => void writeAll(1, ""), {
        stdout: "piped",
      });
      assertEquals((await child.output()).code, 0);
    }
  },
};

openSignalDescriptors();
const [name = ""] = Deno.args;
await withoutLeaks(loops[name]!)();
console.log("nothing lost");
