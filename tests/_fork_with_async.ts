import { _exit } from "../process/_exit.ts";
import { fork } from "../process/fork.ts";

/**
 * Forks a child that runs `body`, on an event loop of its own, and ends with its number; one that throws says so on stderr
 * and ends with 99. It imports no package, so that programs under any version of Deno can use it.
 */
export async function forkWithAsync(
  body: () => number | void | Promise<number | void>,
): Promise<number> {
  const pid = fork();
  if (pid !== 0) return pid;
  try {
    _exit(await body() ?? 0);
  } catch (error) {
    console.error(error);
  }
  _exit(99);
}
