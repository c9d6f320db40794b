import { forkWithAsync } from "../../_fork_with_async.ts";
import { _exit } from "../../../process/_exit.ts";
import { fork } from "../../../process/fork.ts";
import { getpid, getppid } from "../../../process/ids.ts";
import { waitAsync } from "../../../wait/wait_async.ts";
import { waitpid } from "../../../wait/wait.ts";
import { type Capabilities, sleep } from "../_capability.ts";
import { freshPath } from "../_scratch.ts";

/** Uses the event loop, the pool and another program. */
async function live(): Promise<void> {
  await sleep(1);
  const path = freshPath();
  await Deno.writeTextFile(path, path);
  if (await Deno.readTextFile(path) !== path) _exit(90);
  const { code } = await new Deno.Command("true").output();
  if (code !== 0) _exit(91);
}

async function codeOf(pid: number): Promise<number> {
  const { status } = await waitAsync(pid);
  return status.kind === "exited" ? status.code : -1;
}

/** Forks of forks. */
export const forks: Capabilities = {
  "a child of a child of a child": {
    async child() {
      await live();
      const pid = await forkWithAsync(async () => {
        await live();
        const pid = await forkWithAsync(async () => {
          await live();
          const pid = await forkWithAsync(async () => {
            await live();
            return 1;
          });
          return await codeOf(pid) + 1;
        });
        return await codeOf(pid) + 1;
      });
      return await codeOf(pid);
    },
    gives: 3,
  },
  "eight children at once": {
    async child() {
      const pids: number[] = [];
      for (let code = 1; code <= 8; code++) {
        pids.push(
          await forkWithAsync(async () => {
            await live();
            return code;
          }),
        );
      }
      await live();
      return await Promise.all(pids.map(codeOf));
    },
    gives: [1, 2, 3, 4, 5, 6, 7, 8],
  },
  "a fork within a busy event loop": {
    async child() {
      const work = Array.from({ length: 5 }, live);
      const pid = await forkWithAsync(async () => {
        await live();
        return 5;
      });
      const code = await codeOf(pid);
      await Promise.all(work);
      return code;
    },
    gives: 5,
  },
  "pids are the kernel's": {
    child() {
      const self = getpid();
      const pid = fork();
      if (pid === 0) _exit(getppid() === self ? 0 : 1);
      return [
        waitpid(pid)?.status,
        `${self}` === Deno.readLinkSync("/proc/self"),
      ];
    },
    gives: [{ kind: "exited", code: 0 }, true],
  },
};
