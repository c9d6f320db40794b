import { assert } from "@std/assert";
import { bells, rehearse } from "../../wait/_kernel_bell.ts";
import { until, withoutLeaks } from "../_helpers.ts";

/** How the event loop is told that a descriptor is ready. */
export type Way = "by a thread" | "by the kernel's bell";

const WAYS: readonly Way[] = ["by a thread", "by the kernel's bell"];

/** Registers a test for each way in which a wait can sleep; `body` leaves nothing behind. */
export function testEachWay(
  name: string,
  body: (way: Way) => void | Promise<void>,
  ways: readonly Way[] = WAYS,
): void {
  for (const way of ways) {
    Deno.test(`${name}, told ${way}`, async () => {
      const before = { ...bells };
      await (way === "by a thread" ? useThread() : useBell());
      try {
        await withoutLeaks(() => body(way))();
      } finally {
        Object.assign(bells, before);
      }
    });
  }
}

function useThread(): void {
  Object.assign(bells, { heard: false, trials: 0 });
}

/** Has the bell heard: in every Deno in which the tests run there is one. */
export async function useBell(): Promise<void> {
  if (bells.heard) return;
  bells.trials = 5;
  const end = rehearse();
  try {
    await until(() => bells.heard);
  } finally {
    end();
  }
  assert(bells.heard);
}
