import { assertEquals } from "@std/assert";
import { fromFileUrl } from "@std/path";
import { spawn, spawnPty } from "../../exec/mod.ts";
import { tcgetpgrp } from "../../process/mod.ts";
import { readText, until, withDirectory, withoutLeaks } from "../_helpers.ts";
import { Dialogue } from "../exec/_dialogue.ts";

const shell = fromFileUrl(new URL("../../examples/shell.ts", import.meta.url));
const args = ["run", "--quiet", "--no-check", "--allow-ffi", shell];
const argv0 = "deno";

/** Runs lines in the shell, without a terminal; gives what it prints and its exit code. */
async function runLines(
  ...lines: string[]
): Promise<{ output: string; code: number }> {
  const child = spawn("/proc/self/exe", args, {
    argv0,
    stdin: "piped",
    stdout: "piped",
    stderr: "stdout",
    env: { NO_COLOR: "1" },
  });
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(lines.join("\n") + "\n"));
  await writer.close();
  const output = await child.text();
  return { output, code: (await child.status).code };
}

Deno.test(
  "example shell: words, pipelines, redirections, statuses",
  withoutLeaks(() =>
    withDirectory(async (directory) => {
      const { output, code } = await runLines(
        `echo plain "a  b" 'c|d' e\\ f # comment`,
        "seq 5 | sort -r | head -2",
        `cd ${directory}`,
        "echo one > file; echo two >> file",
        "sort -r < file",
        "echo three > file",
        "cat file",
        "rm file",
        "false",
        `echo $? "$?" '$?'`,
        "no-such-program",
        "echo $?",
        "sh -c 'kill -9 $$'",
        "echo $?",
        "pwd",
        "exit 3",
      );
      assertEquals(output.split("\n"), [
        "plain a  b c|d e f",
        "5",
        "4",
        "two",
        "one",
        "three",
        "1 1 $?",
        "no-such-program: not found",
        "127",
        "137",
        directory,
        "",
      ]);
      assertEquals(code, 3);
    })
  ),
);

Deno.test(
  "example shell: what it does not understand is an error, and nothing is run",
  withoutLeaks(async () => {
    const { output, code } = await runLines(
      "echo a; | echo b",
      'echo "a',
      "echo a >",
      "echo a > | echo b",
      "& echo a",
      "fg",
      "cd /no/such/directory",
    );
    assertEquals(output.split("\n"), [
      "shell: | is not expected here",
      'shell: no end to "',
      "shell: > is not expected here",
      "shell: > is not expected here",
      "shell: & is not expected here",
      "shell: no job",
      'shell: Cannot change the working directory to "/no/such/directory": chdir failed with ENOENT (No such file or directory)',
      "",
    ]);
    assertEquals(code, 2);
  }),
);

Deno.test(
  "example shell: job control in a terminal: Ctrl+Z, jobs, bg, fg, Ctrl+C, Ctrl+D",
  withoutLeaks(async () => {
    const pty = spawnPty("/proc/self/exe", args, {
      argv0,
      env: { NO_COLOR: "1" },
    });
    await using dialogue = new Dialogue(pty);
    const inForeground = (name: string) =>
      until(() =>
        readText(`/proc/${tcgetpgrp(pty.controller)}/comm`) === `${name}\n`
      );
    await dialogue.until(/^\$ $/);

    await dialogue.type("sleep 60\r");
    await inForeground("sleep");
    await dialogue.type("\x1a");
    await dialogue.until(/\^Z\r\n\[1\] {2}Stopped +sleep 60\r\n\$ /);
    await dialogue.ask("cat | cat", /cat \| cat\r\n/);
    await inForeground("cat");
    await dialogue.ask("echoed", /echoed\r\nechoed\r\n/);
    await dialogue.type("\x1a");
    await dialogue.until(/\[2\] {2}Stopped +cat \| cat\r\n\$ /);
    await dialogue.ask("jobs", /\[1\] {2}Stopped.*\r\n\[2\] {2}Stopped.*\$ /s);
    await dialogue.ask("bg %1", /\[1\] sleep 60 &\r\n\$ /);
    await dialogue.ask("jobs", /Running +sleep 60\r\n.*Stopped.*\$ /s);
    await dialogue.ask("fg %2", /fg %2\r\ncat \| cat\r\n/);
    await inForeground("cat");
    await dialogue.ask("again", /again\r\nagain\r\n/);
    await dialogue.type("\x04");
    await dialogue.until(/\$ /);
    await dialogue.ask("fg", /fg\r\nsleep 60\r\n/);
    await inForeground("sleep");
    await dialogue.type("\x03");
    await dialogue.until(/\^C\$ /);
    await dialogue.ask("echo $?", /\n130\r\n\$ /);
    // In the shell itself, the keys do nothing but to discard the line.
    await dialogue.type("abc\x03");
    await dialogue.ask("echo still here", /\nstill here\r\n\$ /);
    await dialogue.ask("sleep 60 &", /\[1\] \d+\r\n\$ /);
    await dialogue.type("\x04");
    assertEquals((await dialogue.end()).code, 0);
  }),
);

Deno.test(
  "example shell: puts the modes back that a stopped program has left",
  withoutLeaks(async () => {
    const pty = spawnPty("/proc/self/exe", args, { argv0 });
    await using dialogue = new Dialogue(pty);
    await dialogue.until(/^\$ $/);
    await dialogue.ask(
      "sh -c 'stty -echo -icanon; kill -STOP $$'",
      /Stopped.*\r\n\$ /s,
    );
    await dialogue.ask("stty -a", / icanon .* echo .*\$ /s);
    await dialogue.type("exit\r");
    assertEquals((await dialogue.end()).code, 0);
  }),
);
