import {
  assert,
  assertEquals,
  assertMatch,
  assertNotEquals,
} from "@std/assert";
import { kill } from "../../process/kill.ts";
import { listProcesses } from "../../process/list_processes.ts";
import {
  directoryEntries,
  readText,
  until,
  withDirectory,
  withoutLeaks,
} from "../_helpers.ts";
import { stateOf } from "../process/_tree.ts";
import { runCleanly, runExample } from "./_run.ts";

Deno.test(
  "example daemon has no terminal and no parent of its own, writes its log, refuses a second one, and stops on SIGTERM",
  withoutLeaks(() =>
    withDirectory(async (directory) => {
      const [pidFile, log] = [`${directory}/pid`, `${directory}/log`];
      const starter = await runCleanly("daemon", [pidFile, log]);
      assertEquals(starter.stdout, "");
      const pid = Number(readText(pidFile));
      try {
        assertNotEquals(pid, starter.pid);
        const info = listProcesses().find((process) => process.pid === pid)!;
        assertEquals(info.tty, null);
        assertNotEquals(info.sid, pid);
        assertNotEquals(info.ppid, starter.pid);
        await until(() => /there, 2$/m.test(readText(log)));
        assertMatch(
          readText(log),
          RegExp(`^daemon: PID ${pid}, PPID ${info.ppid}, SID ${info.sid}\n`),
        );

        const second = await runExample("daemon", [pidFile, log]);
        assertEquals(second.status, { kind: "exited", code: 1 });
        assert(second.stderr.includes(`process ${pid} has it`), second.stderr);

        kill(pid, "SIGTERM");
        await until(() => !/[^Z]/.test(stateOf(pid)));
        assert(readText(log).endsWith("daemon: told to stop\n"));
        assertEquals(directoryEntries(directory).includes("pid"), false);
      } catch (error) {
        if (pid > 1) kill(pid, "SIGKILL");
        throw error;
      }
    })
  ),
);
