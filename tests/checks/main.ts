/**
 * The checks that need more than `--allow-ffi`, one line each, and at the end how many passed and failed.
 *
 * Run as `deno task check`.
 *
 * @module
 */

import { fromFileUrl } from "@std/path";
import { importFromJsr } from "./import_from_jsr.ts";
import { importFromLink, importFromPath } from "./import_from_path.ts";
import { importFromUrl } from "./import_from_url.ts";
import { workerSpawns } from "./spawn_in_worker.ts";
import { everyLinkLeadsSomewhere } from "./site.ts";
import { everyTaskIsThere } from "./tasks.ts";

const entries = ["mod.ts", "exec/mod.ts", "ffi/mod.ts", "ipc/mod.ts"]
  .concat("process/mod.ts", "wait/mod.ts");
const fromPython = "docs/from_python.md";
const root = fromFileUrl(new URL("../../", import.meta.url));

/** Runs this Deno with arguments; gives what it printed where it failed. */
async function deno(...args: string[]): Promise<string | undefined> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args,
    cwd: root,
    env: { NO_COLOR: "1" },
  }).output();
  const decoder = new TextDecoder();
  return success ? undefined : decoder.decode(stdout) + decoder.decode(stderr);
}

/** The longest first, as two run at a time. */
const checks: Record<string, () => Promise<string | undefined>> = {
  // Their types are for `deno check`.
  "the examples of the documentation run": () =>
    deno("task", "test:doc", "--no-check"),
  "deno fmt --check": () => deno("fmt", "--check"),
  "deno lint": () => deno("lint"),
  "deno check, documentation included": () =>
    deno("check", "--doc", ".", "README.md", "README.zh.md", fromPython),
  "deno doc --lint": () => deno("doc", "--lint", ...entries),
  "every public symbol is fully documented": () =>
    deno("run", "-A", "tests/checks/documentation.ts"),
  "deno doc --html, and each link in it": everyLinkLeadsSomewhere,
  "deno publish --dry-run": () => deno("publish", "--dry-run", "--allow-dirty"),
  "import from a URL with --allow-ffi alone": importFromUrl,
  "import by the JSR name, from a registry of just what is published":
    importFromJsr,
  "import from a directory, through an import map": importFromPath,
  "import by the JSR name, with a link to a directory": importFromLink,
  "a worker starts programs, settings included": workerSpawns,
  "every example has its task": everyTaskIsThere,
  "the example web-terminal works in a browser": () =>
    import("./web_terminal.ts").then((check) => check.webTerminalWorks()),
};

let failed = 0;
const queue = Object.entries(checks);
/** Takes checks off the queue. */
async function work(): Promise<void> {
  for (let next; (next = queue.shift()) !== undefined;) {
    const [name, check] = next;
    const started = performance.now();
    const complaint = await check().catch((error) => Deno.inspect(error));
    const seconds = ((performance.now() - started) / 1000).toFixed(1);
    console.log(
      `${complaint === undefined ? "ok    " : "FAILED"} ${name} (${seconds}s)`,
    );
    if (complaint !== undefined) {
      failed++;
      console.log(complaint.replace(/^/gm, "       "));
    }
  }
}
await Promise.all([work(), work()]);
console.log(`${Object.keys(checks).length - failed} passed, ${failed} failed`);
Deno.exitCode = failed === 0 ? 0 : 1;
