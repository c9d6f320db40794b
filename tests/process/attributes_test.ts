import { execl } from "../../exec/exec.ts";
import { cString } from "../../ffi/_arguments.ts";
import {
  descriptorSymbols,
  processSymbols,
  procSymbols,
} from "../../ffi/_symbols.ts";
import { AT_FDCWD, O_CLOEXEC, O_CREAT, O_WRONLY } from "../../ffi/constants.ts";
import { PosixError } from "../../ffi/errors.ts";
import { STATX } from "../../ffi/layouts.ts";
import {
  close,
  dup2,
  pipe,
  poll,
  read,
  readAll,
  writeAll,
} from "../../ipc/mod.ts";
import {
  chdir,
  getName,
  nice,
  schedGetaffinity,
  schedSetaffinity,
  setChildSubreaper,
  setName,
  setParentDeathSignal,
  umask,
} from "../../process/attributes.ts";
import { fork } from "../../process/fork.ts";
import { getpid, getppid } from "../../process/ids.ts";
import { kill } from "../../process/kill.ts";
import { setrlimit } from "../../process/limits.ts";
import type { Signal } from "../../process/signals.ts";
import { waitpid } from "../../wait/wait.ts";
import {
  forkWith,
  readText,
  reap,
  withDirectory,
  withoutLeaks,
} from "../_helpers.ts";
import { libc } from "../_libc.ts";
import { withSleeper } from "./_sleeper.ts";
import {
  assert,
  assertEquals,
  assertNotEquals,
  assertThrows,
} from "@std/assert";

function workingDirectory(): string {
  const buffer = new Uint8Array(4096);
  const length = procSymbols()
    .readlink(cString("/proc/self/cwd", "path"), buffer, 4096n);
  return new TextDecoder().decode(buffer.subarray(0, length));
}

Deno.test(
  "chdir() changes the directory, of the child alone if it is the child's call",
  withoutLeaks(() =>
    withDirectory((directory) => {
      const before = workingDirectory();
      const raw = reap(forkWith(() => {
        chdir(directory);
        assert(workingDirectory().endsWith(directory));
        chdir("/");
        chdir("proc");
        assertEquals(workingDirectory(), "/proc");
        assert(readText("self/stat").length > 0);
      }));
      assertEquals(raw, 0);
      assertEquals(workingDirectory(), before);
    })
  ),
);

Deno.test("chdir() throws what is wrong with the path, and stays", () => {
  const before = workingDirectory();
  const cases: [path: string, code: string][] = [
    ["/nowhere/at all", "ENOENT"],
    ["", "ENOENT"],
    ["/dev/null", "ENOTDIR"],
    [`/${"x".repeat(300)}`, "ENAMETOOLONG"],
  ];
  for (const [path, code] of cases) {
    const error = assertThrows(
      () => chdir(path),
      PosixError,
      `Cannot change the working directory to "${path}": chdir failed with ${code}`,
    );
    assertEquals(
      [error.code, error.syscall, error.path],
      [code, "chdir", path],
    );
  }
  assertEquals(workingDirectory(), before);
});

Deno.test("chdir() refuses what is no path", () => {
  assertThrows(() => chdir("/\0tmp"), TypeError, "'path' must not contain NUL");
  assertThrows(() => chdir(1 as unknown as string), TypeError, "'path'");
});

const STATX_MODE = 2;

function mode(path: string): number {
  const buffer = new Uint8Array(STATX.size);
  const result = descriptorSymbols()
    .statx(AT_FDCWD, cString(path, "path"), 0, STATX_MODE, buffer);
  assertEquals(result, 0);
  return new DataView(buffer.buffer)
    .getUint16(STATX.fields.stx_mode, true) & 0o777;
}

Deno.test("umask() gives the former mask", () => {
  const old = umask(0o077);
  try {
    assertEquals(umask(0o777), 0o077);
    assertEquals(umask(0), 0o777);
  } finally {
    assertEquals(umask(old), 0);
  }
});

Deno.test(
  "umask() withholds permissions from new files",
  withoutLeaks(() =>
    withDirectory((directory) => {
      const path = `${directory}/file`;
      const raw = reap(forkWith(() => {
        umask(0o027);
        const flags = O_CREAT | O_WRONLY | O_CLOEXEC;
        descriptorSymbols().open(cString(path, "path"), flags, 0o666);
      }));
      assertEquals(raw, 0);
      assertEquals(mode(path), 0o640);
    })
  ),
);

Deno.test("umask() refuses what is no mask", () => {
  for (const mask of [-1, 0o1000, 2 ** 32, 0.5, NaN]) {
    assertThrows(() => umask(mask), RangeError, "'mask'");
  }
});

const UNPRIVILEGED = 65_534;

/** The nice value as the kernel tells it: the last but two of the fields before the number of threads. */
function niceValue(): number {
  const stat = readText("/proc/self/stat");
  return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[16]);
}

function inChild(body: () => void): () => Promise<void> {
  return withoutLeaks(() => assertEquals(reap(forkWith(body)), 0));
}

Deno.test(
  "nice() adds to the nice value, up to 19, and gives it",
  inChild(() => {
    const before = nice(0);
    assertEquals(before, niceValue());
    assertEquals(nice(3), Math.min(before + 3, 19));
    assertEquals(niceValue(), Math.min(before + 3, 19));
    assertEquals(nice(2 ** 31 - 1), 19);
    assertEquals(niceValue(), 19);
  }),
);

const privileged = reap(forkWith(() => {
  try {
    nice(-1);
    return 0;
  } catch {
    return 1;
  }
})) === 0;

Deno.test({
  name: "nice() gives -1 as a value like any other, down to -20",
  ignore: !privileged,
  fn: inChild(() => {
    nice(-40);
    assertEquals(nice(19), -1);
    assertEquals(niceValue(), -1);
    assertEquals(nice(0), -1);
    assertEquals(nice(-(2 ** 31)), -20);
    assertEquals(niceValue(), -20);
  }),
});

Deno.test(
  "nice() throws EPERM where it takes a privilege, and -1 is not taken for that",
  inChild(() => {
    if (privileged) nice(-1 - nice(0));
    setrlimit("RLIMIT_NICE", { soft: 0, hard: 0 });
    libc.setresuid(UNPRIVILEGED, UNPRIVILEGED, UNPRIVILEGED);
    const before = nice(0);
    const error = assertThrows(
      () => nice(-2),
      PosixError,
      "Cannot add -2 to the nice value: nice failed with EPERM",
    );
    assertEquals([error.code, error.syscall], ["EPERM", "nice"]);
    assertEquals(nice(0), before);
    assertEquals(nice(1), before + 1);
  }),
);

Deno.test("nice() refuses what is no integer", () => {
  for (const increment of [0.5, NaN, Infinity, 2 ** 31]) {
    assertThrows(() => nice(increment), RangeError, "'increment'");
  }
  assertThrows(() => nice("1" as unknown as number), TypeError, "'increment'");
});

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

function withFormerName(body: () => void): () => Promise<void> {
  return withoutLeaks(() => {
    const before = getName();
    try {
      body();
    } finally {
      setName(before);
    }
    assertEquals(getName(), before);
  });
}

Deno.test(
  "setName() names the process, whichever thread JavaScript runs on",
  withFormerName(() => {
    for (
      const name of [
        "worker 1",
        "",
        "五个汉字五",
        "a) (b",
        "two\nlines",
        "\\n",
        " ",
      ]
    ) {
      setName(name);
      assertEquals(getName(), name);
      assertEquals(readText(`/proc/${getpid()}/comm`), `${name}\n`);
    }
  }),
);

Deno.test(
  "setName() in a forked child leaves the parent's name alone, and a program brings its own",
  withFormerName(() => {
    setName("the parent's");
    const [reader, writer] = pipe();
    const raw = reap(forkWith(() => {
      setName("the child's");
      assertEquals(getName(), "the child's");
      dup2(writer, 1);
      execl("/bin/cat", "cat", "/proc/self/comm");
    }));
    close(writer);
    assertEquals([raw, getName()], [0, "the parent's"]);
    assertEquals(new TextDecoder().decode(readAll(reader)), "cat\n");
    close(reader);
  }),
);

Deno.test("setName() refuses what the kernel would cut", () => {
  const before = getName();
  for (const name of ["sixteen bytes...", "六个汉字太长"]) {
    assertThrows(() => setName(name), RangeError, "'name'");
  }
  for (const name of ["a\0b", "\ud800", 7, null]) {
    assertThrows(() => setName(name as string), TypeError, "'name'");
  }
  assertEquals(getName(), before);
});

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

/** The pid of a grandchild, and of the parent that it has after its own has ended. */
function orphan(): { pid: number; ppid: number } {
  const [reader, writer] = pipe();
  const middle = forkWith(() => {
    const parent = getpid();
    if (fork() !== 0) return;
    for (let i = 0; i < 10_000 && getppid() === parent; i++) poll([], 1);
    writeAll(writer, `${getpid()} ${getppid()}`);
  });
  close(writer);
  assertEquals(reap(middle), 0);
  const [pid, ppid] = new TextDecoder().decode(readAll(reader)).split(" ");
  close(reader);
  return { pid: Number(pid), ppid: Number(ppid) };
}

Deno.test(
  "setChildSubreaper() has orphans fall to the process, to be waited for, until it is switched off",
  withoutLeaks(() => {
    const raw = reap(forkWith(() => {
      setChildSubreaper(true);
      const kept = orphan();
      assertEquals(kept.ppid, getpid());
      assertEquals(reap(kept.pid), 0);
      setChildSubreaper(false);
      const lost = orphan();
      assertNotEquals(lost.ppid, getpid());
      assert(lost.ppid > 0);
      assertThrows(() => waitpid(lost.pid), Error, "ECHILD");
    }));
    assertEquals(raw, 0);
  }),
);

Deno.test("setChildSubreaper() refuses what is no boolean", () => {
  for (const on of [1, 0, null, undefined, "true"]) {
    assertThrows(
      () => setChildSubreaper(on as unknown as boolean),
      TypeError,
      "'on'",
    );
  }
});
