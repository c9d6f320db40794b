import {
  assertEquals,
  assertGreater,
  assertMatch,
  assertThrows,
} from "@std/assert";
import { PosixError } from "../../ffi/errors.ts";
import { poll } from "../../ipc/poll.ts";
import { getpid, getppid } from "../../process/ids.ts";
import { kill } from "../../process/kill.ts";
import { killTree } from "../../process/kill_tree.ts";
import { listProcesses } from "../../process/list_processes.ts";
import { setChildSubreaper } from "../../process/attributes.ts";
import type { Signal } from "../../process/signals.ts";
import {
  assertOpenDescriptors,
  forkWith,
  openDescriptors,
  reap,
  until,
  withoutLeaks,
} from "../_helpers.ts";
import { leaveDescriptors } from "../ipc/_helpers.ts";
import { libc } from "../_libc.ts";
import { withSleeper } from "./_sleeper.ts";
import { childrenOf, startShell, stateOf, withShell } from "./_tree.ts";

const NOBODY = 2_147_483_647;
const UNPRIVILEGED = 65_534;

/** A shell with a child that is a shell with a child; each waits for its own. */
const CHAIN = `sh -c "sh -c 'sleep 1000; :'; :"; :`;

/** The processes of a chain, root first, once they are all there. */
async function chainOf(root: number): Promise<number[]> {
  const chain = () => {
    const pids = [root];
    for (let next; ([next] = childrenOf(pids.at(-1)!)), next !== undefined;) {
      pids.push(next);
    }
    return pids;
  };
  await until(() => {
    const last = listProcesses().find(({ pid }) => pid === chain().at(-1));
    return last?.name === "sleep";
  });
  return chain();
}

function withChain(
  body: (root: number, chain: number[]) => Promise<void>,
): () => Promise<void> {
  return withoutLeaks(() =>
    withShell(CHAIN, [], async (root) => await body(root, await chainOf(root)))
  );
}

/** The processes that have the word among their arguments, zombies aside. */
function havingArgument(word: string): number[] {
  return listProcesses().filter(({ command }) => command.includes(word))
    .map(({ pid }) => pid);
}

Deno.test(
  "killTree() ends a process and all that descends from it, and names parents before their children",
  withChain(async (root, chain) => {
    assertEquals(chain.length, 4);
    assertEquals(killTree(root, "SIGKILL"), chain);
    assertEquals(reap(root), 9);
    await until(() => !chain.some(isAlive));
  }),
);

Deno.test(
  "killTree() sends SIGTERM unless told otherwise, to what was stopped before as well",
  withChain(async (root, chain) => {
    kill(chain[2]!, "SIGSTOP");
    await until(() => stateOf(chain[2]!) === "T");
    assertEquals(killTree(root), chain);
    assertEquals(reap(root), 15);
    await until(() => !chain.some(isAlive));
  }),
);

Deno.test(
  "killTree() leaves all stopped by SIGSTOP, takes that back by SIGCONT, and lets SIGTSTP stop",
  withChain(async (root, chain) => {
    const states = () => chain.map(stateOf).join("");
    for (const stop of ["SIGSTOP", "SIGTSTP"] as const) {
      assertEquals(killTree(root, stop), chain);
      await until(() => states() === "TTTT");
      assertEquals(killTree(root, "SIGCONT"), chain);
      await until(() => states() === "SSSS");
    }
    // By number, and one that the shells are not asked to answer.
    assertEquals(killTree(root, 28), chain);
    await until(() => states() === "SSSS");
    killTree(root, 9);
    assertEquals(reap(root), 9);
  }),
);

Deno.test(
  "killTree() lets none escape that forks without end",
  withoutLeaks(async () => {
    for (let round = 0; round < 2; round++) {
      const mark = `mark-${getpid()}-${round}`;
      // Three shells that each start others for as long as they live; 120 are enough.
      const script =
        `for i in 1 2 3; do sh -c 'i=0; while [ $i -lt 40 ]; do sh -c "sleep 1000; :" $0 & i=$((i+1)); done; wait; :' "$0" & done; wait; :`;
      await withShell(script, [mark], async (root) => {
        await until(() => havingArgument(mark).length > 10 + 15 * round);
        const killed = killTree(root, "SIGKILL");
        assertEquals(reap(root), 9);
        assertGreater(killed.length, 10);
        assertEquals(new Set(killed).size, killed.length);
        await until(() => havingArgument(mark).length === 0);
      });
    }
  }),
);

Deno.test(
  "killTree() of the caller's own tree spares the caller, and reaches daemons where it is a subreaper",
  withoutLeaks(() => {
    const raw = reap(forkWith(() => {
      setChildSubreaper(true);
      // The one in the middle ends at once, and its child falls to us.
      const middle = startShell("sleep 1000 & exit 0");
      assertEquals(reap(middle), 0);
      const other = startShell("exec sleep 1000");
      const [daemon] = childrenOf(getpid()).filter((pid) => pid !== other);
      const killed = killTree(getpid(), "SIGKILL");
      assertEquals(killed.toSorted(), [daemon!, other].toSorted());
      assertEquals([reap(daemon!), reap(other)], [9, 9]);
      assertEquals(killTree(getpid()), []);
    }));
    assertEquals(raw, 0);
  }),
);

Deno.test(
  "killTree() of a zombie signals nobody",
  withoutLeaks(async () => {
    const pid = forkWith(() => 0);
    await until(() => stateOf(pid) === "Z");
    assertEquals(killTree(pid, "SIGKILL"), []);
    assertEquals(reap(pid), 0);
  }),
);

Deno.test(
  "killTree() refuses a tree that the caller descends from",
  withoutLeaks(() => {
    const raw = reap(forkWith(() => {
      const parent = getppid();
      const inner = reap(forkWith(() => {
        for (const pid of [getppid(), parent]) {
          const error = assertThrows(
            () => killTree(pid, "SIGKILL"),
            PosixError,
            `Cannot send signal SIGKILL to the tree of process ${pid}`,
          );
          assertEquals(error.code, "EINVAL");
        }
      }));
      assertEquals(inner, 0);
    }));
    assertEquals(raw, 0);
  }),
);

Deno.test("killTree() throws ESRCH where there is no such process", () => {
  const error = assertThrows(() => killTree(NOBODY, 9), PosixError);
  assertEquals([error.code, error.syscall], ["ESRCH", "pidfd_open"]);
});

Deno.test({
  name: "killTree() throws EPERM for another user's process, and stops nobody",
  ignore: !isPrivileged(),
  fn: withoutLeaks(() =>
    withSleeper((pid) => {
      const raw = reap(forkWith(() => {
        libc.setresuid(UNPRIVILEGED, UNPRIVILEGED, UNPRIVILEGED);
        const error = assertThrows(() => killTree(pid, "SIGKILL"), PosixError);
        assertEquals(error.code, "EPERM");
      }));
      assertEquals([raw, stateOf(pid)], [0, "S"]);
      kill(pid, "SIGKILL");
      reap(pid);
    })
  ),
});

Deno.test({
  name:
    "killTree() passes over a descendant of another user's, but not what descends from it",
  ignore: !isPrivileged(),
  fn: withoutLeaks(() => {
    const raw = reap(forkWith(() => {
      setChildSubreaper(true);
      // The killer has no privileges, the middle one of the three has.
      const root = forkWith(() => {
        const middle = forkWith(() => {
          const last = forkWith(() => {
            becomeUnprivileged();
            sleepLong();
          });
          reap(last);
          sleepLong();
        });
        becomeUnprivileged();
        reap(middle);
      });
      let chain: number[] = [];
      // A fork may be made again: a child is the right one when it has done something.
      for (let i = 0; i < 5000; i++) {
        chain = [root, ...childrenOf(root)];
        chain.push(...childrenOf(chain[1] ?? NOBODY));
        const owners = [chain[0], chain[2]].map((pid) =>
          listProcesses().find((process) => process.pid === pid)?.uid
        );
        if (owners.every((uid) => uid === UNPRIVILEGED)) break;
        poll([], 1);
      }
      const [, middle, last] = chain;
      const killer = reap(forkWith(() => {
        becomeUnprivileged();
        assertEquals(killTree(root, "SIGKILL"), [root, last]);
      }));
      assertEquals(killer, 0);
      assertEquals(reap(root), 9);
      assertMatch(stateOf(middle!), /[RS]/);
      kill(middle!, "SIGKILL");
      assertEquals(reap(middle!), 9);
    }));
    assertEquals(raw, 0);
  }),
});

function isAlive(pid: number): boolean {
  return /[^Z]/.test(stateOf(pid));
}

function becomeUnprivileged(): void {
  libc.setresuid(UNPRIVILEGED, UNPRIVILEGED, UNPRIVILEGED);
}

function sleepLong(): void {
  poll([], 20_000);
}

Deno.test(
  "killTree() lets all go on where there are too few descriptors to hold them",
  withChain(async (root, chain) => {
    for (let free = 1; free <= 3; free++) {
      const raw = reap(forkWith(() => {
        // The symbols are bound while there are descriptors for it.
        killTree(getpid(), "SIGCONT");
        const before = openDescriptors();
        leaveDescriptors(free);
        const error = assertThrows(
          () => killTree(root, "SIGKILL"),
          PosixError,
        );
        assertEquals(error.code, "EMFILE");
        assertOpenDescriptors(before);
      }));
      assertEquals(raw, 0);
      await until(() => chain.map(stateOf).join("") === "SSSS");
    }
    killTree(root, "SIGKILL");
    assertEquals(reap(root), 9);
  }),
);

Deno.test("killTree() refuses wrong arguments before anything has happened", () => {
  for (const pid of [1, 0, -1, -getpid(), 0.5, NaN, 2 ** 31]) {
    assertThrows(() => killTree(pid, "SIGKILL"), RangeError, "'pid'");
  }
  for (const signal of [0, -1, 65, 0.5]) {
    assertThrows(() => killTree(NOBODY, signal), RangeError, "'signal'");
  }
  assertThrows(
    () => killTree(NOBODY, "SIGKIL" as Signal),
    TypeError,
    `did you mean "SIGKILL"`,
  );
});

function isPrivileged(): boolean {
  return listProcesses().find(({ pid }) => pid === getpid())?.uid === 0;
}
