import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { close, O_CREAT, O_WRONLY, open } from "../../ipc/mod.ts";
import { kill, type Signal } from "../../process/mod.ts";
import { readText, until, withDirectory, withoutLeaks } from "../_helpers.ts";
import { runExample, startExample } from "./_run.ts";

Deno.test(
  "example exec-launcher keeps its pid when it becomes the program",
  withoutLeaks(async () => {
    const { pid, raw, stdout, stderr } = await runExample("exec-launcher");
    assertEquals(raw, 0);
    assertEquals(stdout, `the program: PID ${pid}\n`);
    assertStringIncludes(stderr, `the launcher: PID ${pid} becomes sh`);
  }),
);

Deno.test(
  "example exec-launcher ends with the program's own exit code",
  withoutLeaks(async () => {
    const line = ["sh", "-c", "echo $$; exit 7"];
    const { pid, status, stdout } = await runExample("exec-launcher", line);
    assertEquals(status, { kind: "exited", code: 7 });
    assertEquals(stdout, `${pid}\n`);
  }),
);

Deno.test(
  "example exec-launcher leaves signals to the program",
  withoutLeaks(async () => {
    const endedBy = async (signal: Signal) => {
      await using launcher = startExample("exec-launcher", ["sleep", "60"]);
      await until(() => commandLine(launcher.pid) === "sleep 60");
      kill(launcher.pid, signal);
      const { status } = await launcher.finish();
      assertEquals(status, { kind: "signaled", signal, coreDumped: false });
    };
    await Promise.all([endedBy("SIGTERM"), endedBy("SIGINT")]);
  }),
);

Deno.test(
  "example exec-launcher lets the program answer signals as it likes",
  withoutLeaks(async () => {
    const script =
      "trap 'exit 3' TERM; echo ready; while :; do sleep 0.1; done";
    await using launcher = startExample("exec-launcher", ["sh", "-c", script]);
    await launcher.until(/^ready$/m);
    kill(launcher.pid, "SIGTERM");
    const { status } = await launcher.finish();
    assertEquals(status, { kind: "exited", code: 3 });
  }),
);

Deno.test(
  "example exec-launcher knows some programs by name",
  withoutLeaks(async () => {
    const [date, uname, sleep] = await Promise.all([
      runExample("exec-launcher", ["date"]),
      runExample("exec-launcher", ["uname"]),
      runExample("exec-launcher", ["sleep"]),
    ]);
    assertMatch(date.stdout, /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\n$/);
    assertMatch(uname.stdout, /^Linux \S+ \S+\n$/);
    assertEquals([date.raw, uname.raw, sleep.raw], [0, 0, 0]);
  }),
);

Deno.test(
  "example exec-launcher ends with 127 if there is no such program, with 126 if it cannot be run",
  withoutLeaks(() =>
    withDirectory(async (directory) => {
      const path = `${directory}/program`;
      const missing = await runExample("exec-launcher", [path]);
      assertEquals(missing.status, { kind: "exited", code: 127 });
      assertStringIncludes(missing.stderr, "ENOENT");
      close(open(path, O_WRONLY | O_CREAT, 0o600));
      const refused = await runExample("exec-launcher", [path]);
      assertEquals(refused.status, { kind: "exited", code: 126 });
      assertStringIncludes(refused.stderr, "EACCES");
    })
  ),
);

/** The command line of a process, with spaces between the arguments. */
function commandLine(pid: number): string {
  return readText(`/proc/${pid}/cmdline`).replaceAll("\0", " ").trim();
}
