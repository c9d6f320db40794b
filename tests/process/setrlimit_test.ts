import { assertEquals, assertThrows } from "@std/assert";
import { PosixError } from "../../ffi/errors.ts";
import {
  getrlimit,
  type Resource,
  type ResourceLimit,
  setrlimit,
} from "../../process/limits.ts";
import { forkWith, reap, withoutLeaks } from "../_helpers.ts";

Deno.test(
  "setrlimit() sets both limits exactly, and children inherit them",
  withoutLeaks(() => {
    const limits: ResourceLimit[] = [
      { soft: Infinity, hard: Infinity },
      { soft: 2 ** 32 + 1, hard: Infinity },
      { soft: 2 ** 53 - 1, hard: 2 ** 53 - 1 },
      { soft: 0, hard: 2 ** 32 },
      { soft: 0, hard: 0 },
    ];
    const raw = reap(forkWith(() => {
      for (const limit of limits) {
        setrlimit("RLIMIT_LOCKS", limit);
        assertEquals(getrlimit("RLIMIT_LOCKS"), limit);
      }
      return reap(
        forkWith(() =>
          assertEquals(getrlimit("RLIMIT_LOCKS"), { soft: 0, hard: 0 })
        ),
      );
    }));
    assertEquals(raw, 0);
  }),
);

Deno.test("setrlimit() throws EINVAL for a soft limit above the hard one, EPERM for too high a ceiling", () => {
  const before = getrlimit("RLIMIT_NOFILE");
  const cases: [limit: ResourceLimit, code: string][] = [
    [{ soft: 11, hard: 10 }, "EINVAL"],
    [{ soft: Infinity, hard: before.hard }, "EINVAL"],
    [{ soft: 10, hard: Infinity }, "EPERM"],
  ];
  for (const [limit, code] of cases) {
    const error = assertThrows(
      () => setrlimit("RLIMIT_NOFILE", limit),
      PosixError,
      `Cannot set the limits of RLIMIT_NOFILE to ${limit.soft} and ${limit.hard}: setrlimit failed with ${code}`,
    );
    assertEquals([error.code, error.syscall], [code, "setrlimit"]);
  }
  assertEquals(getrlimit("RLIMIT_NOFILE"), before);
});

Deno.test("setrlimit() refuses what is no limit, before any effect", () => {
  const before = getrlimit("RLIMIT_CORE");
  for (const wrong of [-1, 0.5, NaN, -Infinity, 2 ** 53, 2 ** 64]) {
    assertThrows(
      () => setrlimit("RLIMIT_CORE", { soft: wrong, hard: Infinity }),
      RangeError,
      "'limit.soft'",
    );
    assertThrows(
      () => setrlimit("RLIMIT_CORE", { soft: 0, hard: wrong }),
      RangeError,
      "'limit.hard'",
    );
  }
  for (
    const wrong of [null, undefined, 5, { soft: 0 }, { soft: 1n, hard: 1n }]
  ) {
    assertThrows(
      () => setrlimit("RLIMIT_CORE", wrong as ResourceLimit),
      TypeError,
      "'limit",
    );
  }
  assertThrows(
    () => setrlimit("RLIMIT_CORES" as Resource, before),
    TypeError,
    `did you mean "RLIMIT_CORE"`,
  );
  assertEquals(getrlimit("RLIMIT_CORE"), before);
});
