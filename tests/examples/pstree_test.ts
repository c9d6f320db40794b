import { assert, assertEquals, assertMatch } from "@std/assert";
import { getpid, killTree, processTree } from "../../process/mod.ts";
import { reap, until, withoutLeaks } from "../_helpers.ts";
import { findProgram, run } from "../ffi/_programs.ts";
import { withShell } from "../process/_tree.ts";
import { runCleanly } from "./_run.ts";

const pstree = findProgram("pstree");

/** A shell with two sleepers and a Deno, which has threads, and another shell in between with two more. */
const SCRIPT =
  `sleep 1000 & "$0" eval "setInterval(() => {}, 1e6)" & sh -c "sleep 1000 & sleep 1000; :" & sleep 1000; :`;

async function withTree(body: (root: number) => Promise<void>): Promise<void> {
  const [deno] = processTree(getpid()).command;
  assert(deno !== undefined);
  await withShell(SCRIPT, [findProgram(deno) ?? deno], async (root) => {
    await until(() => {
      const { children } = processTree(root);
      const deno = children.find(({ threads }) => threads > 1);
      const names = children.map(({ name }) => name);
      return deno !== undefined && names.length === 4 &&
        names.filter((name) => name === "sleep").length === 2 &&
        children.some(({ children }) =>
          children.map(({ name }) => name).join() === "sleep,sleep"
        );
    });
    await body(root);
    killTree(root, "SIGKILL");
    reap(root);
  });
}

Deno.test(
  "example pstree draws the processes below a pid by their names, and threads in braces",
  withoutLeaks(() =>
    withTree(async (root) => {
      const { stdout } = await runCleanly("pstree", [`${root}`]);
      const lines = stdout.trimEnd().split("\n");
      const indent = " ".repeat(`sh(${root})`.length);
      assertMatch(
        lines[0]!,
        RegExp(`^sh\\(${root}\\)-\\+-deno\\S*\\(\\d+\\)-\\+-`),
      );
      assertMatch(
        lines[1]!,
        RegExp(`^${indent} \\| +\\|-\\{deno\\S*\\}\\(\\d+\\)$`),
      );
      const shapes = lines.slice(-4).map((line) => line.replace(/\d+/g, "N"));
      assertEquals(shapes.map((line) => line.trim().replace(/ +/g, " ")), [
        "|-sh(N)-+-sleep(N)",
        "| `-sleep(N)",
        "|-sleep(N)",
        "`-sleep(N)",
      ]);
    })
  ),
);

Deno.test({
  name: `example pstree draws what pstree -p draws${
    pstree === null ? " (no pstree)" : ""
  }`,
  ignore: pstree === null,
  fn: withoutLeaks(() =>
    withTree(async (root) => {
      // Deno's threads come and go for a while.
      let [ours, theirs] = ["", ""];
      for (let i = 0; i < 10 && (i === 0 || ours !== theirs); i++) {
        theirs = run(pstree!, "-p", "-l", "-A", `${root}`).stdout;
        ours = (await runCleanly("pstree", [`${root}`])).stdout;
      }
      assertEquals(ours, theirs);
    })
  ),
});

Deno.test(
  "example pstree draws the whole system from process 1",
  withoutLeaks(async () => {
    const { stdout, pid } = await runCleanly("pstree");
    assertMatch(stdout, /^[^\n]+\(1\)-/);
    assertMatch(stdout, RegExp(`\\(${pid}\\)`));
  }),
);
