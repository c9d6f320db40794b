import { assertEquals, assertThrows } from "@std/assert";
import { fork, onFork } from "../../process/fork.ts";
import { setrlimit } from "../../process/limits.ts";
import { forkWith, reap, withoutLeaks } from "../_helpers.ts";

/** Hooks that write down their names. */
function noting(log: string[], name: string): Disposable {
  return onFork({
    prepare: () => log.push(`prepare ${name}`),
    parent: () => log.push(`parent ${name}`),
    child: () => log.push(`child ${name}`),
  });
}

Deno.test(
  "onFork() runs prepare in reverse order, parent and child in order",
  withoutLeaks(() => {
    const log: string[] = [];
    using _a = noting(log, "a");
    using _b = noting(log, "b");
    const child = forkWith(() => {
      assertEquals(log, ["prepare b", "prepare a", "child a", "child b"]);
    });
    assertEquals(log, ["prepare b", "prepare a", "parent a", "parent b"]);
    assertEquals(reap(child), 0);
  }),
);

Deno.test(
  "onFork() holds in children, until it is disposed of, twice without harm",
  withoutLeaks(() => {
    const log: string[] = [];
    const hooks = noting(log, "a");
    const child = forkWith(() => {
      log.length = 0;
      const status = reap(forkWith(() => log.length));
      assertEquals(log, ["prepare a", "parent a"]);
      return status >> 8;
    });
    assertEquals(reap(child), 2 << 8);
    hooks[Symbol.dispose]();
    hooks[Symbol.dispose]();
    log.length = 0;
    assertEquals(reap(forkWith(() => log.length)), 0);
    assertEquals(log, []);
  }),
);

Deno.test(
  "onFork() has no child made if prepare throws, and lets go what was prepared",
  withoutLeaks(() => {
    const log: string[] = [];
    using _first = onFork({
      prepare: () => {
        throw new Error("not now");
      },
      parent: () => log.push("parent first"),
    });
    using _second = noting(log, "second");
    assertThrows(() => fork(), Error, "not now");
    assertEquals(log, ["prepare second", "parent second"]);
  }),
);

Deno.test(
  "onFork() runs parent where the fork fails",
  withoutLeaks(() => {
    const child = forkWith(() => {
      const log: string[] = [];
      using _ = noting(log, "a");
      setrlimit("RLIMIT_NOFILE", { soft: 0, hard: 4096 });
      assertThrows(() => fork(), Error, "EMFILE");
      setrlimit("RLIMIT_NOFILE", { soft: 4096, hard: 4096 });
      assertEquals(log, ["prepare a", "parent a"]);
    });
    assertEquals(reap(child), 0);
  }),
);
