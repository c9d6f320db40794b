import { assert, assertEquals } from "@std/assert";
import { spawnPty } from "../../exec/mod.ts";
import { ECHO, tcgetattr } from "../../ipc/mod.ts";
import { tcgetpgrp } from "../../process/ids.ts";
import { readText, until, withDirectory, withoutLeaks } from "../_helpers.ts";
import { findProgram } from "../ffi/_programs.ts";
import { makeFile } from "./_capture.ts";
import { Dialogue } from "./_dialogue.ts";

const env = { TERM: "xterm", LC_ALL: "C.UTF-8", PS1: "prompt> " };

/** Tests with a real program, which is skipped visibly where that is not installed. */
function withProgram(
  program: string,
  behaviour: string,
  body: (program: string) => Promise<void>,
): void {
  const path = findProgram(program);
  const skipped = path === null ? ` (skipped: no ${program} on PATH)` : "";
  Deno.test({
    name: `spawnPty() runs ${behaviour}${skipped}`,
    ignore: path === null,
    fn: withoutLeaks(() => body(path!)),
  });
}

withProgram(
  "bash",
  "bash -i with job control: Ctrl+Z, jobs, bg, fg, Ctrl+C",
  async (bash) => {
    const args = ["--norc", "--noprofile", "--noediting", "-i"];
    const pty = spawnPty(bash, args, { env });
    await using dialogue = new Dialogue(pty);
    // Only then do keys reach it: until it is executed, the shell's own child ignores them.
    const inForeground = () =>
      until(() => {
        const group = tcgetpgrp(pty.controller);
        return readText(`/proc/${group}/comm`) === "sleep\n";
      });
    await dialogue.until(/prompt> $/);
    assertEquals(/job control|ioctl/.test(dialogue.text), false, dialogue.text);

    await dialogue.type("sleep 60\r");
    await inForeground();
    await dialogue.type("\x1a");
    await dialogue.until(/Stopped\s+sleep 60\r\nprompt> /);
    await dialogue.ask("jobs", /\[1\]\+\s+Stopped\s+sleep 60\r\nprompt> /);
    await dialogue.ask("bg", /\[1\]\+ sleep 60 &\r\nprompt> /);
    await dialogue.ask("jobs", /\[1\]\+\s+Running\s+sleep 60 &\r\nprompt> /);
    await dialogue.type("fg\r");
    await inForeground();
    await dialogue.type("\x03");
    await dialogue.until(/\^C\r\nprompt> /);
    await dialogue.ask("echo $?", /130\r\nprompt> /);
    await dialogue.ask("exit 9", /exit/);
    assertEquals((await dialogue.end()).code, 9);
  },
);

withProgram("less", "less, page by page to the end", async () => {
  const options = { env, columns: 40, rows: 10 };
  const pty = spawnPty("sh", ["-c", "seq 1000 1100 | less"], options);
  await using dialogue = new Dialogue(pty);
  await dialogue.until(/1008/);
  assertEquals(dialogue.text.includes("1010"), false);
  await dialogue.type(" ");
  await dialogue.until(/1017/);
  await dialogue.type("G");
  await dialogue.until(/1100\s+.*END/s);
  await dialogue.type("?1042\r");
  await dialogue.until(/1042/);
  await dialogue.type("q");
  assertEquals((await dialogue.end()).code, 0);
});

withProgram(
  "vi",
  "vi, which edits a file and puts the modes back",
  (vi) =>
    withDirectory(async (directory) => {
      const path = makeFile(`${directory}/text`, "second\n", 0o600);
      const pty = spawnPty("sh", ["-c", 'vi "$1"; stty -a', "sh", path], {
        env: { ...env, EXINIT: "set noswapfile", HOME: directory },
        columns: 80,
        rows: 24,
      });
      assert(vi.length > 0);
      await using dialogue = new Dialogue(pty);
      await dialogue.until(/second/);
      assertEquals(tcgetattr(pty.controller).lflag & ECHO, 0);
      await dialogue.type("Ofirst 你好");
      await dialogue.until(/first/);
      await dialogue.type("\x1b");
      await dialogue.type(":wq\r");
      await dialogue.until(/speed .* echo /s);
      assertEquals((await dialogue.end()).code, 0);
      assertEquals(readText(path), "first 你好\nsecond\n");
    }),
);

withProgram(
  "top",
  "top, which fits the window and is told its size",
  async () => {
    const pty = spawnPty("top", ["-d", "0.1"], { env, columns: 80, rows: 12 });
    await using dialogue = new Dialogue(pty);
    await dialogue.until(/load average/);
    await dialogue.until(/PID +USER/);
    pty.resize({ columns: 60, rows: 20 });
    await dialogue.until(/PID +USER/);
    await dialogue.type("q");
    assertEquals((await dialogue.end()).code, 0);
  },
);

withProgram("python3", "python3 -i until Ctrl+D", async () => {
  const pty = spawnPty("python3", ["-i", "-q"], {
    env: { ...env, TERM: "dumb", PYTHON_BASIC_REPL: "1" },
  });
  await using dialogue = new Dialogue(pty);
  await dialogue.until(/>>> $/);
  await dialogue.ask("6 * 7", /\n42\r\n.*>>> /s);
  await dialogue.ask("import sys; sys.stdin.isatty()", /True\r\n.*>>> /s);
  await dialogue.ask("def f():", /\.\.\. $/);
  await dialogue.ask("  return 'indented'", /\.\.\. $/);
  await dialogue.ask("", />>> $/);
  await dialogue.ask("f()", /'indented'\r\n.*>>> /s);
  await dialogue.type("\x04");
  assertEquals((await dialogue.end()).code, 0);
});

withProgram("bash", "a password prompt, which does not echo", async (bash) => {
  const script = 'read -s -p "Password: " word; echo; echo "${#word} letters"';
  const pty = spawnPty(bash, ["-c", script], { env });
  await using dialogue = new Dialogue(pty);
  await dialogue.until(/Password: /);
  await until(() => (tcgetattr(pty.controller).lflag & ECHO) === 0);
  await dialogue.ask("s3cret", /6 letters/);
  assertEquals((await dialogue.end()).code, 0);
  assertEquals(dialogue.text, "Password: \r\n6 letters\r\n");
});
