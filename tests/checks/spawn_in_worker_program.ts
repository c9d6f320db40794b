/** The worker of `spawn_in_worker.ts`: answers with what a program of its says of itself. */

import { spawn } from "../../exec/mod.ts";

const child = spawn("sh", ["-c", "umask; ulimit -n; pwd"], {
  umask: 0o27,
  rlimits: { RLIMIT_NOFILE: { soft: 100, hard: 100 } },
  cwd: "/usr",
  stdout: "piped",
});
const { postMessage } = globalThis as unknown as Pick<Worker, "postMessage">;
postMessage(await child.text());
