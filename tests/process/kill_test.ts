import { PosixError } from "../../ffi/errors.ts";
import { setpgid } from "../../process/ids.ts";
import { kill, killpg } from "../../process/kill.ts";
import type { Signal } from "../../process/signals.ts";
import { forkWith, readText, reap, until, withoutLeaks } from "../_helpers.ts";
import { withSleeper } from "./_sleeper.ts";
import { assert, assertEquals, assertThrows } from "@std/assert";

const libc = Deno.dlopen("libc.so.6", {
  getuid: { parameters: [], result: "u32" },
  setuid: { parameters: ["u32"], result: "i32" },
}).symbols;

/** A pid that is no process: the kernel's highest is 4,194,304. */
const NOBODY = 2_147_483_647;

Deno.test(
  "kill() ends a child by the name of a signal, or by its number",
  withoutLeaks(() => {
    const cases: [signal: Signal | number, raw: number][] = [
      ["SIGKILL", 9],
      ["SIGTERM", 15],
      ["SIGRTMIN+1", 35],
      ["SIGPOLL", 29],
      [9, 9],
      [12, 12],
      [64, 64],
    ];
    for (const [signal, raw] of cases) {
      withSleeper((pid) => {
        kill(pid, signal);
        assertEquals(reap(pid), raw);
      });
    }
  }),
);

Deno.test(
  "kill() with signal 0 only asks, and takes a zombie for a process",
  withoutLeaks(() => {
    kill(Deno.pid, 0);
    return withoutZombie(async (pid) => {
      await until(() => readText(`/proc/${pid}/stat`).includes(") Z "));
      kill(pid, 0);
      kill(pid, "SIGKILL");
    });
  }),
);

async function withoutZombie(
  body: (pid: number) => Promise<void>,
): Promise<void> {
  const pid = forkWith(() => 0);
  try {
    await body(pid);
  } finally {
    assertEquals(reap(pid), 0);
  }
}

Deno.test(
  "kill() with a negative pid reaches every process of a group",
  withoutLeaks(() =>
    withSleeper((first) => {
      setpgid(first, 0);
      withSleeper((second) => {
        setpgid(second, first);
        kill(-first, "SIGKILL");
        assertEquals(reap(second), 9);
      });
      assertEquals(reap(first), 9);
    })
  ),
);

Deno.test(
  "kill() with pid 0 reaches the caller's own group",
  withoutLeaks(() => {
    const raw = reap(forkWith(() => {
      setpgid(0, 0);
      kill(0, "SIGKILL");
    }));
    assertEquals(raw, 9);
  }),
);

Deno.test(
  "kill() with pid -1 reaches all others",
  withoutLeaks(() =>
    withSleeper((pid) => {
      kill(-1, 0); // a question only
      kill(pid, "SIGKILL");
      reap(pid);
    })
  ),
);

Deno.test("kill() throws ESRCH where there is no such process or group", () => {
  for (const pid of [NOBODY, -NOBODY]) {
    const error = assertThrows(
      () => kill(pid, "SIGTERM"),
      PosixError,
      `Cannot send signal SIGTERM to process ${pid}: kill failed with ESRCH`,
    );
    assertEquals([error.code, error.syscall], ["ESRCH", "kill"]);
  }
});

Deno.test({
  name: "kill() throws EPERM for a process of another user",
  // Where the caller is not root, but process 1 is the caller's, nobody is there to be refused by.
  ignore: libc.getuid() !== 0 && maySignal(1),
  fn: withoutLeaks(() => {
    const raw = reap(forkWith(() => {
      if (libc.getuid() === 0) assertEquals(libc.setuid(65_534), 0);
      const error = assertThrows(() => kill(1, 0), PosixError);
      assertEquals([error.code, error.syscall], ["EPERM", "kill"]);
    }));
    assertEquals(raw, 0);
  }),
});

function maySignal(pid: number): boolean {
  try {
    kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

Deno.test("kill() answers an unknown name with the nearest", () => {
  const cases = [["SIGTER", "SIGTERM"], ["HUP", "SIGHUP"], [
    "sigkill",
    "SIGKILL",
  ]];
  for (const [wrong, right] of cases) {
    assertThrows(
      () => kill(NOBODY, wrong as Signal),
      TypeError,
      `'signal' is unknown: current value is "${wrong}", did you mean "${right}"`,
    );
  }
  for (const wrong of ["toString", "", "9"]) {
    assertThrows(() => kill(NOBODY, wrong as Signal), TypeError, "'signal'");
  }
  for (const wrong of [null, undefined, {}, 9n]) {
    assert(
      assertThrows(() => kill(NOBODY, wrong as unknown as Signal)) instanceof
        TypeError,
    );
  }
});

Deno.test("kill() refuses numbers that would wrap or are no signals", () => {
  // 2^32 - 1 would wrap to -1, everybody: hence signal 0.
  for (const pid of [2 ** 31, 2 ** 32 - 1, -(2 ** 31) - 1, 0.5, NaN]) {
    assertThrows(() => kill(pid, 0), RangeError, "'pid'");
  }
  for (const signal of [-1, 65, 256, 2 ** 32, 1.5, NaN]) {
    assertThrows(() => kill(NOBODY, signal), RangeError, "'signal'");
  }
});

Deno.test(
  "killpg() ends every process of a group",
  withoutLeaks(() =>
    withSleeper((first) => {
      setpgid(first, 0);
      withSleeper((second) => {
        setpgid(second, first);
        killpg(first, 0);
        killpg(first, "SIGKILL");
        assertEquals(reap(second), 9);
      });
      assertEquals(reap(first), 9);
    })
  ),
);

Deno.test(
  "killpg() with 0 reaches the caller's own group",
  withoutLeaks(() => {
    const raw = reap(forkWith(() => {
      setpgid(0, 0);
      killpg(0, "SIGKILL");
    }));
    assertEquals(raw, 9);
  }),
);

Deno.test("killpg() throws ESRCH for a group that is not there", () => {
  const error = assertThrows(
    () => killpg(NOBODY, 0),
    PosixError,
    `Cannot send signal 0 to process group ${NOBODY}: killpg failed with ESRCH`,
  );
  assertEquals([error.code, error.syscall], ["ESRCH", "killpg"]);
});

Deno.test("killpg() refuses group 1, which C takes for everybody, and what is no group", () => {
  for (const pgid of [1, -1, -5, 2 ** 31, 2 ** 32 - 1, 0.5, NaN]) {
    assertThrows(() => killpg(pgid, 0), RangeError, "'pgid'");
  }
});

Deno.test("killpg() answers an unknown name with the nearest", () => {
  assertThrows(
    () => killpg(NOBODY, "SIGKIL" as Signal),
    TypeError,
    `did you mean "SIGKILL"`,
  );
  assertThrows(() => killpg(NOBODY, 65), RangeError, "'signal'");
});
