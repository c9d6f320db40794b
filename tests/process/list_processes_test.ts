import { forkSymbols } from "../../ffi/_symbols.ts";
import { PosixError } from "../../ffi/errors.ts";
import {
  close,
  openpty,
  pipe,
  read,
  ttyname,
  writeAll,
} from "../../ipc/mod.ts";
import { getName, setName } from "../../process/attributes.ts";
import { getpgrp, getpid, getppid, getsid, setsid } from "../../process/ids.ts";
import { kill, killpg } from "../../process/kill.ts";
import { killTree } from "../../process/kill_tree.ts";
import {
  listProcesses,
  listThreads,
  parseStat,
  type ProcessInfo,
  type ProcessNode,
  processTree,
  type ThreadInfo,
} from "../../process/list_processes.ts";
import { forkWith, readText, reap, until, withoutLeaks } from "../_helpers.ts";
import { libc } from "../_libc.ts";
import { findProgram, run } from "../ffi/_programs.ts";
import { leaveDescriptors } from "../ipc/_helpers.ts";
import { libc as ipcLibc } from "../ipc/_libc.ts";
import { stateOf, withShell } from "./_tree.ts";
import {
  assert,
  assertEquals,
  assertGreater,
  assertLess,
  assertThrows,
} from "@std/assert";
import { cpuUsage } from "node:process";

const TIOCSCTTY = 0x540en;

/** A user that has no name. */
const NAMELESS = 54_321;

const ps = findProgram("ps");

function find(pid: number): ProcessInfo | undefined {
  return listProcesses().find((process) => process.pid === pid);
}

/** Runs a test beside a forked child that has done something to itself; gives what the list says of it then. */
function describeChild(prepare: () => void): ProcessInfo {
  const [ready, isReady] = pipe();
  const [end, mayEnd] = pipe();
  const pid = forkWith(() => {
    prepare();
    close(mayEnd);
    writeAll(isReady, "!");
    read(end, 1);
  });
  close(isReady);
  close(end);
  read(ready, 1);
  const info = find(pid);
  close(mayEnd);
  close(ready);
  assertEquals(reap(pid), 0);
  return info!;
}

Deno.test(
  "listProcesses() has the calling process as it knows itself",
  withoutLeaks(() => {
    const began = Date.now();
    const { user: userTime, system } = cpuUsage();
    const self = find(getpid())!;
    const { startTime, cpuTime, rss, threads, user, uid, ...rest } = self;
    assertEquals(rest, {
      pid: getpid(),
      ppid: getppid(),
      pgid: getpgrp(),
      sid: getsid(),
      tty: rest.tty,
      state: rest.state,
      name: getName(),
      command: readText("/proc/self/cmdline").split("\0").slice(0, -1),
    });
    assert("RS".includes(rest.state));
    assert(startTime.getTime() <= began);
    // It has not been running for more than a day.
    assertLess(began - startTime.getTime(), 86_400_000);
    assertLess(Math.abs(cpuTime - (userTime + system) / 1e6), 0.5);
    const ratio = rss * 1024 / Deno.memoryUsage().rss;
    assert(ratio > 0.5 && ratio < 2, `${ratio}`);
    assertGreater(threads, 1);
    assertEquals(typeof user, "string");
    assertEquals(uid, uidOf("self"));
  }),
);

function uidOf(pid: number | "self"): number {
  const status = readText(`/proc/${pid}/status`);
  return Number(/^Uid:\s+\d+\s+(\d+)/m.exec(status)![1]);
}

Deno.test(
  "listProcesses() tells the time of a start to some hundredths of a second",
  withoutLeaks(() => {
    const before = Date.now();
    const { startTime } = describeChild(() => {});
    assert(startTime.getTime() >= before - 30, "started too early");
    assert(startTime.getTime() <= Date.now() + 30, "started too late");
  }),
);

Deno.test(
  "listProcesses() takes any name for what it is",
  withoutLeaks(() => {
    for (
      const name of ["a) R 1 (b", "two\nlines", "\\n\\ \\\\", " ", "", "名 (x)"]
    ) {
      const info = describeChild(() => setName(name));
      assertEquals([info.name, info.ppid], [name, getpid()]);
    }
  }),
);

Deno.test(
  "listProcesses() takes command lines apart, whatever is in them",
  withoutLeaks(async () => {
    const args = ["a b", "", "x\ny", "名", "(z)"];
    await withShell("sleep 1000; :", args, async (pid) => {
      await until(() => find(pid)?.name === "sh");
      assertEquals(find(pid)?.threads, 1);
      assertEquals(find(pid)?.command, [
        "sh",
        "-c",
        "sleep 1000; :",
        ...args,
      ]);
      killpg(pid, "SIGKILL");
      reap(pid);
    });
  }),
);

Deno.test(
  "listProcesses() shows a zombie, and that it has no command line",
  withoutLeaks(async () => {
    const pid = forkWith(() => 0);
    await until(() => stateOf(pid) === "Z");
    const { state, command, ppid, rss } = find(pid)!;
    assertEquals({ state, command, ppid, rss }, {
      state: "Z",
      command: [],
      ppid: getpid(),
      rss: 0,
    });
    assertEquals(reap(pid), 0);
    assertEquals(find(pid), undefined);
  }),
);

Deno.test(
  "listProcesses() names the controlling terminal",
  withoutLeaks(() => {
    const { controller, terminal } = openpty();
    const { tty, sid, pid } = describeChild(() => {
      setsid();
      assertEquals(ipcLibc.ioctl_value(terminal, TIOCSCTTY, 0n), 0);
    });
    assertEquals(`/dev/${tty}`, ttyname(terminal));
    assertEquals(sid, pid);
    close(controller);
    close(terminal);
    assertEquals(describeChild(() => setsid()).tty, null);
  }),
);

Deno.test({
  name: "listProcesses() gives the number of a user who has no name",
  ignore: uidOf("self") !== 0,
  fn: withoutLeaks(() => {
    const { uid, user } = describeChild(() => {
      libc.setresuid(NAMELESS, NAMELESS, NAMELESS);
    });
    assertEquals([uid, user], [NAMELESS, `${NAMELESS}`]);
  }),
});

Deno.test(
  "listProcesses() is not disturbed by processes that come and go",
  withoutLeaks(() =>
    withShell(
      "i=0; while [ $i -lt 5000 ]; do (:) & (:); i=$((i+1)); done",
      [],
      (pid) => {
        for (let round = 0; round < 15; round++) {
          const processes = listProcesses();
          const pids = processes.map((process) => process.pid);
          assertEquals(new Set(pids).size, pids.length);
          for (
            const { ppid, pgid, state, threads, cpuTime, rss } of processes
          ) {
            for (const n of [ppid, pgid, threads, cpuTime, rss]) assert(n >= 0);
            assertEquals(state.length, 1);
          }
        }
        killpg(pid, "SIGKILL");
        reap(pid);
      },
    )
  ),
);

Deno.test({
  name: `listProcesses() says what ps says${ps === null ? " (no ps)" : ""}`,
  ignore: ps === null,
  fn: withoutLeaks(() => {
    const before = listProcesses();
    const { stdout } = run(
      ps!,
      "-e",
      "-o",
      "pid=,ppid=,pgid=,sess=,tty=,uid=,user:32=,rss=",
    );
    const after = new Map(listProcesses().map((info) => [info.pid, info]));
    const rows = new Map(
      stdout.trimEnd().split("\n").map((line) => line.trim().split(/\s+/))
        .map(([pid, ...row]) => [Number(pid), row]),
    );
    let compared = 0;
    for (const info of before) {
      const row = rows.get(info.pid);
      // Only what has not changed while ps looked can be the same.
      if (
        row === undefined || fieldsOf(after.get(info.pid)) !== fieldsOf(info)
      ) {
        continue;
      }
      assertEquals(row.slice(0, 6), fieldsOf(info).split(" "));
      compared++;
    }
    assertGreater(compared, 1);
    assertEquals(rows.get(getpid())?.length, 7);
  }),
});

function fieldsOf(info: ProcessInfo | undefined): string {
  if (info === undefined) return "";
  const { ppid, pgid, sid, tty, uid, user } = info;
  return [ppid, pgid, sid, tty ?? "?", uid, user].join(" ");
}

Deno.test(
  "listProcesses() throws EMFILE where there is no descriptor left",
  withoutLeaks(() => {
    const raw = reap(forkWith(() => {
      listProcesses(); // what it calls is bound while there are some
      leaveDescriptors(0);
      assertEquals(assertThrows(listProcesses, PosixError).code, "EMFILE");
    }));
    assertEquals(raw, 0);
  }),
);

Deno.test("parseStat() counts the fields from the end of the name", () => {
  const fields = Array.from({ length: 50 }, (_, index) => index + 3);
  const line = (name: string) => `7 (${name}) S ${fields.slice(1).join(" ")}\n`;
  for (const name of ["a b", "a) Z 9 (b", ")", "(", "\n\\n", ""]) {
    assertEquals(parseStat(line(name)), {
      name,
      state: "S",
      ppid: 4,
      pgid: 5,
      sid: 6,
      tty: 7,
      cpuTicks: 14 + 15,
      threads: 20,
      startTicks: 22,
      rssPages: 24,
    });
  }
});

const NOBODY = 2_147_483_647;

Deno.test(
  "listThreads() has the calling thread and the main one, with their names",
  withoutLeaks(() => {
    const threads = listThreads(getpid());
    assertEquals(threads[0]?.tid, getpid());
    for (const tid of [getpid(), forkSymbols().gettid()]) {
      const thread = threads.find((thread) => thread.tid === tid)!;
      const comm = readText(`/proc/self/task/${tid}/comm`);
      assertEquals(`${thread.name}\n`, comm);
      assert(thread.cpuTime >= 0);
      assert("RS".includes(thread.state));
    }
  }),
);

Deno.test(
  "listThreads() gives the one thread of a simple program",
  withoutLeaks(() =>
    withShell("exec sleep 1000", [], async (pid) => {
      await until(() => listThreads(pid)[0]?.name === "sleep");
      const [{ tid, name, cpuTime }, ...others] = listThreads(pid) as [
        ThreadInfo,
      ];
      assertEquals({ tid, name, others }, {
        tid: pid,
        name: "sleep",
        others: [],
      });
      assertLess(cpuTime, 1);
      kill(pid, "SIGKILL");
      reap(pid);
    })
  ),
);

Deno.test(
  "listThreads() takes any name for what it is",
  withoutLeaks(() => {
    const raw = reap(forkWith(() => {
      setName("a) R (b");
      const main = listThreads(getpid()).find(({ tid }) => tid === getpid());
      assertEquals(main?.name, "a) R (b");
    }));
    assertEquals(raw, 0);
  }),
);

Deno.test("listThreads() throws ESRCH where there is no such process", () => {
  const error = assertThrows(() => listThreads(NOBODY), PosixError);
  assertEquals([error.code, error.path], ["ESRCH", `/proc/${NOBODY}/task`]);
});

Deno.test("listThreads() refuses what is no pid", () => {
  for (const pid of [0, -1, 0.5, NaN, 2 ** 31]) {
    assertThrows(() => listThreads(pid), RangeError, "'pid'");
  }
});

/** A tree as text, such as `sh(sh(sleep) sleep)`: pids may start again at any moment, so it goes by the names. */
function shape({ name, children }: ProcessNode): string {
  return children.length === 0
    ? name
    : `${name}(${children.map(shape).sort().join(" ")})`;
}

Deno.test(
  "processTree() gives a process and all that descends from it",
  withoutLeaks(() =>
    withShell(
      `sleep 1000 & sh -c "sleep 1000 & sleep 1000; :" & sleep 1000; :`,
      [],
      async (pid) => {
        const expected = "sh(sh(sleep sleep) sleep sleep)";
        await until(() => shape(processTree(pid)) === expected);
        const tree = processTree(pid);
        assertEquals([tree.pid, tree.ppid], [pid, getpid()]);
        for (const child of tree.children) assertEquals(child.ppid, pid);
        const pids = tree.children.map((child) => child.pid);
        assertEquals(pids, pids.toSorted((a, b) => a - b));
        killTree(pid, "SIGKILL");
        reap(pid);
      },
    )
  ),
);

Deno.test(
  "processTree() starts at process 1 unless told otherwise",
  withoutLeaks(() => {
    const root = processTree();
    assertEquals([root.pid, root.ppid], [1, 0]);
    const all = [root];
    for (const node of all) all.push(...node.children);
    assertEquals(new Set(all.map(({ pid }) => pid)).size, all.length);
    assert(all.some(({ pid }) => pid === getpid()));
  }),
);

Deno.test("processTree() throws ESRCH where there is no such process", () => {
  const error = assertThrows(
    () => processTree(NOBODY),
    PosixError,
    `Cannot show the tree of process ${NOBODY}`,
  );
  assertEquals([error.code, error.path], ["ESRCH", `/proc/${NOBODY}`]);
});

Deno.test("processTree() refuses what is no pid", () => {
  for (const pid of [0, -1, 0.5, NaN, 2 ** 31]) {
    assertThrows(() => processTree(pid), RangeError, "'pid'");
  }
});
