import { execl } from "../../exec/exec.ts";
import { killpg } from "../../process/kill.ts";
import { setpgid } from "../../process/ids.ts";
import { forkWith, readText, reap } from "../_helpers.ts";

/** Runs a test beside a shell that runs a script, in a process group of its own, and is for the test to reap. */
export async function withShell(
  script: string,
  args: readonly string[],
  body: (pid: number) => void | Promise<void>,
): Promise<void> {
  const pid = startShell(script, ...args);
  try {
    await body(pid);
  } catch (error) {
    try {
      killpg(pid, "SIGKILL");
      reap(pid);
    } catch {
      // Neither is needed where it has been reaped.
    }
    throw error;
  }
}

/** Starts a shell that runs a script, in a process group of its own. */
export function startShell(script: string, ...args: string[]): number {
  const pid = forkWith(() => {
    setpgid(0, 0);
    execl("/bin/sh", "sh", "-c", script, ...args);
  });
  return pid;
}

/** The state of a process, such as `"S"`; empty where there is none. */
export function stateOf(pid: number): string {
  const stat = readText(`/proc/${pid}/stat`);
  return stat.charAt(stat.lastIndexOf(")") + 2);
}

/** The pids of a process's children. */
export function childrenOf(pid: number): number[] {
  return readText(`/proc/${pid}/task/${pid}/children`).trim().split(" ")
    .filter(Boolean).map(Number);
}
