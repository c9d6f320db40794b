import { assert, assertEquals, assertThrows } from "@std/assert";
import { PosixError } from "../../ffi/errors.ts";
import { getpid } from "../../process/ids.ts";
import { killTree } from "../../process/kill_tree.ts";
import { type ProcessNode, processTree } from "../../process/list_processes.ts";
import { reap, until, withoutLeaks } from "../_helpers.ts";
import { withShell } from "./_tree.ts";

const NOBODY = 2_147_483_647;

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
