import { assert, assertEquals, assertThrows } from "@std/assert";
import { PosixError } from "../../ffi/errors.ts";
import {
  schedGetaffinity,
  schedSetaffinity,
} from "../../process/attributes.ts";
import { forkWith, readText, reap, withoutLeaks } from "../_helpers.ts";
import { withSleeper } from "./_sleeper.ts";
import { kill } from "../../process/kill.ts";

const NOBODY = 2_147_483_647;

/** The CPUs of a process as the kernel lists them, such as `0-3,6`. */
function allowed(pid: number | "self"): number[] {
  const [, list] = /^Cpus_allowed_list:\s*(\S+)$/m.exec(
    readText(`/proc/${pid}/status`),
  )!;
  return list!.split(",").flatMap((range) => {
    const [first, last = first] = range.split("-").map(Number);
    return Array.from({ length: last! - first! + 1 }, (_, i) => first! + i);
  });
}

Deno.test(
  "schedGetaffinity() gives the CPUs that the kernel lists",
  withoutLeaks(() => {
    assertEquals(schedGetaffinity(), allowed("self"));
    assertEquals(schedGetaffinity(Deno.pid), allowed(Deno.pid));
  }),
);

Deno.test(
  "schedSetaffinity() puts the caller on some CPUs, and its children with it",
  withoutLeaks(() => {
    const raw = reap(forkWith(() => {
      const cpus = schedGetaffinity();
      const last = cpus.at(-1)!;
      schedSetaffinity([last, last]);
      assertEquals(schedGetaffinity(), [last]);
      assertEquals(allowed("self"), [last]);
      assertEquals(reap(forkWith(() => schedGetaffinity().length)), 1 << 8);
      schedSetaffinity(cpus.toReversed());
      assertEquals(schedGetaffinity(), cpus);
      // Those that are not there are passed over as long as one is.
      schedSetaffinity([last, 4000]);
      assertEquals(schedGetaffinity(), [last]);
    }));
    assertEquals(raw, 0);
  }),
);

Deno.test(
  "schedSetaffinity() puts another process on some CPUs",
  withoutLeaks(() =>
    withSleeper((pid) => {
      const [first] = schedGetaffinity(pid);
      schedSetaffinity([first!], pid);
      assertEquals(allowed(pid), [first]);
      assertEquals(schedGetaffinity(pid), [first]);
      kill(pid, "SIGKILL");
      reap(pid);
    })
  ),
);

Deno.test("schedSetaffinity() throws EINVAL where none of the CPUs is there", () => {
  for (const cpu of [4000, 65_535]) {
    assert(!schedGetaffinity().includes(cpu));
    const error = assertThrows(
      () => schedSetaffinity([cpu]),
      PosixError,
      `Cannot have process 0 run on CPUs ${cpu}: sched_setaffinity failed with EINVAL`,
    );
    assertEquals([error.code, error.syscall], ["EINVAL", "sched_setaffinity"]);
  }
});

Deno.test("schedGetaffinity() and schedSetaffinity() throw ESRCH where there is no process", () => {
  for (
    const call of [
      () => schedGetaffinity(NOBODY),
      () => schedSetaffinity([0], NOBODY),
    ]
  ) {
    assertEquals(assertThrows(call, PosixError).code, "ESRCH");
  }
});

Deno.test("schedGetaffinity() and schedSetaffinity() refuse wrong arguments", () => {
  for (const cpus of [[], [-1], [65_536], [0.5], [NaN]]) {
    assertThrows(() => schedSetaffinity(cpus), RangeError, "cpus");
  }
  for (const cpus of [0, null, "0", ["0"]]) {
    assertThrows(
      () => schedSetaffinity(cpus as unknown as number[]),
      TypeError,
      "cpus",
    );
  }
  for (const pid of [-1, 2 ** 31, 0.5]) {
    assertThrows(() => schedGetaffinity(pid), RangeError, "'pid'");
    assertThrows(() => schedSetaffinity([0], pid), RangeError, "'pid'");
  }
});
