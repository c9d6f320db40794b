import { assert, assertEquals } from "@std/assert";
import { fromFileUrl } from "@std/path";
import { spawnPty } from "../../exec/mod.ts";
import { kill } from "../../process/mod.ts";
import { readText, withoutLeaks } from "../_helpers.ts";
import { startExample } from "./_run.ts";

const gone = (pid: number) => readText(`/proc/${pid}/stat`) === "";

Deno.test(
  "supervise keeps its programs alive, and stops all of them on SIGTERM",
  withoutLeaks(async () => {
    await using example = startExample("supervise", ["2", "sleep", "60"]);
    const first = Number((await example.until(/1: running as PID (\d+)/))[1]);
    const second = Number((await example.until(/2: running as PID (\d+)/))[1]);
    kill(first, "SIGKILL");
    const [, again] = await example.until(
      /1: ended, by SIGKILL; again in \d+ ms\n1: running as PID (\d+)/,
    );
    assert(gone(first) && !gone(second));
    kill(example.pid, "SIGTERM");
    const { stdout, stderr, raw } = await example.finish();
    assertEquals([raw, stderr], [0, ""]);
    for (const pid of [second, Number(again)]) assert(gone(pid));
    const lines = stdout.trim().split("\n");
    assertEquals(lines.slice(-3).sort(), [
      "1: stopped, by SIGTERM",
      "2: stopped, by SIGTERM",
      "all stopped",
    ]);
  }),
);

Deno.test(
  "supervise waits longer each time that a program ends at once",
  withoutLeaks(async () => {
    await using example = startExample("supervise", [
      "1",
      "sh",
      "-c",
      "exit 3",
    ]);
    await example.until(/again in 200 ms[^]*again in 400 ms[^]*running/);
    kill(example.pid, "SIGINT");
    const { stdout, raw } = await example.finish();
    assertEquals(raw, 0);
    assert(stdout.endsWith("all stopped\n"));
    assert(stdout.includes("1: ended, exit code 3; again in 200 ms\n"));
  }),
);

Deno.test(
  "supervise draws a table on a terminal, one over the other",
  withoutLeaks(async () => {
    const url = new URL("../../examples/supervise.ts", import.meta.url);
    const args = ["run", "--quiet", "--no-check", "--allow-ffi"];
    await using pty = spawnPty("/proc/self/exe", [
      ...args,
      fromFileUrl(url),
      "1",
      "sleep",
      "60",
    ], { argv0: "deno", timeout: 10_000 });
    let text = "";
    let pid = 0;
    const decoder = new TextDecoder();
    for await (const chunk of pty.readable) {
      text += decoder.decode(chunk, { stream: true });
      const found = /running as PID (\d+)/.exec(text);
      if (found === null || pid !== 0) continue;
      pid = Number(found[1]);
      pty.kill("SIGTERM");
    }
    assert(text.includes(" No.     PID  restarts  state\r\n"), text);
    assert(text.includes(`\x1b[2A\x1b[2K No.`), text);
    assert(text.endsWith("all stopped\r\n"));
    assertEquals((await pty.status).code, 0);
    assert(gone(pid));
  }),
);
