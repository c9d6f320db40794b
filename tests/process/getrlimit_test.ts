import { assertEquals, assertThrows } from "@std/assert";
import { PosixError } from "../../ffi/errors.ts";
import { processSymbols } from "../../ffi/_symbols.ts";
import { getrlimit, type Resource } from "../../process/limits.ts";
import { forkWith, readText, reap, withoutLeaks } from "../_helpers.ts";

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
