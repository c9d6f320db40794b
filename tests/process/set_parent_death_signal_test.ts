import { assertEquals, assertThrows } from "@std/assert";
import { processSymbols } from "../../ffi/_symbols.ts";
import { pipe, poll, read, writeAll } from "../../ipc/mod.ts";
import { getpid } from "../../process/ids.ts";
import { kill } from "../../process/kill.ts";
import {
  setChildSubreaper,
  setParentDeathSignal,
} from "../../process/attributes.ts";
import type { Signal } from "../../process/signals.ts";
import { forkWith, reap, withoutLeaks } from "../_helpers.ts";

const PR_GET_PDEATHSIG = 2;
const DEADLINE_MS = 10_000;

function parentDeathSignal(): number {
  const signal = new Int32Array(1);
  // Of the two bindings of prctl, that which takes an address.
  const result = processSymbols().prctl_set_name(PR_GET_PDEATHSIG, signal);
  assertEquals(result, 0);
  return signal[0]!;
}

Deno.test(
  "setParentDeathSignal() takes a name or a number, and null or 0 takes it back",
  withoutLeaks(() => {
    const raw = reap(forkWith(() => {
      setParentDeathSignal("SIGTERM");
      assertEquals(parentDeathSignal(), 15);
      setParentDeathSignal(null);
      assertEquals(parentDeathSignal(), 0);
      setParentDeathSignal(64);
      assertEquals(parentDeathSignal(), 64);
      setParentDeathSignal(0);
      assertEquals(parentDeathSignal(), 0);
    }));
    assertEquals(raw, 0);
  }),
);

Deno.test(
  "setParentDeathSignal() ends a child whose parent is killed",
  withoutLeaks(() => {
    const raw = reap(forkWith(() => {
      setChildSubreaper(true); // to see how the grandchild ends
      const [reader, writer] = pipe();
      const parent = forkWith(() => {
        forkWith(() => {
          setParentDeathSignal("SIGUSR1");
          writeAll(writer, String(getpid()));
          poll([], DEADLINE_MS);
        });
        poll([], DEADLINE_MS);
      });
      const child = Number(new TextDecoder().decode(read(reader, 16)));
      kill(parent, "SIGKILL");
      assertEquals(reap(parent), 9);
      assertEquals(reap(child), 10);
    }));
    assertEquals(raw, 0);
  }),
);

Deno.test("setParentDeathSignal() refuses what is no signal", () => {
  assertThrows(
    () => setParentDeathSignal("SIGTREM" as Signal),
    TypeError,
    `did you mean "SIGTERM"`,
  );
  for (const signal of [-1, 65, 1.5, NaN]) {
    assertThrows(() => setParentDeathSignal(signal), RangeError, "'signal'");
  }
  assertThrows(
    () => setParentDeathSignal(undefined as unknown as null),
    TypeError,
    "'signal'",
  );
});
