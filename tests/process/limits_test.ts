import { processSymbols } from "../../ffi/_symbols.ts";
import { PosixError } from "../../ffi/errors.ts";
import {
  getrlimit,
  type Resource,
  type ResourceLimit,
  setrlimit,
} from "../../process/limits.ts";
import { forkWith, readText, reap, withoutLeaks } from "../_helpers.ts";
import { assertEquals, assertThrows } from "@std/assert";

/** The rows of `/proc/self/limits`. */
const ROWS: Record<Resource, string> = {
  RLIMIT_AS: "Max address space",
  RLIMIT_CORE: "Max core file size",
  RLIMIT_CPU: "Max cpu time",
  RLIMIT_DATA: "Max data size",
  RLIMIT_FSIZE: "Max file size",
  RLIMIT_LOCKS: "Max file locks",
  RLIMIT_MEMLOCK: "Max locked memory",
  RLIMIT_MSGQUEUE: "Max msgqueue size",
  RLIMIT_NICE: "Max nice priority",
  RLIMIT_NOFILE: "Max open files",
  RLIMIT_NPROC: "Max processes",
  RLIMIT_RSS: "Max resident set",
  RLIMIT_RTPRIO: "Max realtime priority",
  RLIMIT_RTTIME: "Max realtime timeout",
  RLIMIT_SIGPENDING: "Max pending signals",
  RLIMIT_STACK: "Max stack size",
};

Deno.test("getrlimit() gives what /proc says, for every resource", () => {
  const limits = readText("/proc/self/limits").trim().split("\n").slice(1);
  assertEquals(limits.length, Object.keys(ROWS).length);
  const number = (text: string | undefined) =>
    text === "unlimited" ? Infinity : Number(text);
  for (const [resource, row] of Object.entries(ROWS)) {
    const line = limits.find((line) => line.startsWith(row));
    const [soft, hard] = line!.slice(row.length).trim().split(/\s+/);
    assertEquals(
      getrlimit(resource as Resource),
      { soft: number(soft), hard: number(hard) },
      resource,
    );
  }
});

Deno.test(
  "getrlimit() throws EOVERFLOW rather than round",
  withoutLeaks(() => {
    const raw = reap(forkWith(() => {
      const rlimit = new BigUint64Array([2n ** 53n - 1n, 2n ** 53n]);
      const RLIMIT_LOCKS = 10; // without effect
      assertEquals(processSymbols().setrlimit(RLIMIT_LOCKS, rlimit), 0);
      const error = assertThrows(
        () => getrlimit("RLIMIT_LOCKS"),
        PosixError,
        "a number cannot hold 9007199254740992 exactly",
      );
      assertEquals([error.code, error.syscall], ["EOVERFLOW", "getrlimit"]);
    }));
    assertEquals(raw, 0);
  }),
);

Deno.test("getrlimit() answers an unknown name with the nearest", () => {
  assertThrows(
    () => getrlimit("RLIMIT_NOFILES" as Resource),
    TypeError,
    `'resource' is unknown: current value is "RLIMIT_NOFILES", did you mean "RLIMIT_NOFILE"`,
  );
  for (const wrong of ["toString", "", 7, null]) {
    assertThrows(() => getrlimit(wrong as Resource), TypeError, "'resource'");
  }
});

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
