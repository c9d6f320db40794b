import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { pipeline, type PipelineOptions } from "../../exec/mod.ts";
import { close, pipe, readAll } from "../../ipc/mod.ts";
import { PosixError } from "../../mod.ts";
import {
  children,
  readText,
  withDirectory,
  withoutLeaks,
} from "../_helpers.ts";
import { decode, encode } from "../ipc/_helpers.ts";

const sh = (script: string) => ["sh", "-c", script];

Deno.test(
  "pipeline() has each program read what the one before it writes",
  withoutLeaks(async () => {
    const one = pipeline(["echo", "alone"]);
    assertEquals(await one.text(), "alone\n");
    const five = pipeline(
      ["printf", "b a\nc b\na b\n"],
      ["tr", " ", "\n"],
      ["sort"],
      ["uniq", "-c"],
      { file: "sed", args: ["s/^ *//"], env: { LC_ALL: "C" } },
    );
    assertEquals(await five.text(), "2 a\n3 b\n1 c\n");
    const status = await five.status;
    assertEquals(status.stages.length, 5);
    const { stages: _, ...rest } = status;
    assertEquals(rest, {
      success: true,
      code: 0,
      signal: null,
      failed: [],
      cutShort: [],
      timedOut: false,
    });
  }),
);

Deno.test(
  "pipeline() gives no program any descriptor but its three",
  withoutLeaks(async () => {
    const list = "ls /proc/self/fd | tr '\\n' ' '";
    const lines = pipeline(
      sh(`${list}; echo`),
      sh(`cat; ${list}; echo`),
      sh(`cat; ${list}`),
    );
    // `ls` itself has the directory open as 3.
    assertEquals(await lines.text(), "0 1 2 3 \n0 1 2 3 \n0 1 2 3 ");
  }),
);

Deno.test(
  "Pipeline.status has what a shell knows with pipefail, and tells failures from readers that left",
  withoutLeaks(async () => {
    const failing = await pipeline(sh("exit 3"), sh("exit 4"), ["cat"], {
      stdout: "null",
    }).status;
    assertEquals(failing.success, false);
    assertEquals([failing.code, failing.failed, failing.cutShort], [
      4,
      [0, 1],
      [],
    ]);
    const cut = await pipeline(["yes"], ["head", "-n1"]).output();
    assertEquals(decode(cut.stdout), "y\n");
    assertEquals([cut.success, cut.code, cut.signal], [false, 141, "SIGPIPE"]);
    assertEquals([cut.failed, cut.cutShort], [[], [0]]);
    const killed = await pipeline(sh("kill -9 $$"), ["cat"], { stdout: "null" })
      .status;
    assertEquals([killed.code, killed.signal, killed.failed], [137, "SIGKILL", [
      0,
    ]]);
  }),
);

Deno.test(
  "pipeline() takes streams, descriptors and files at its ends",
  () =>
    withDirectory((directory) =>
      withoutLeaks(async () => {
        const streams = pipeline(["cat"], ["tr", "a-z", "A-Z"], {
          stdin: "piped",
        });
        const writer = streams.stdin.getWriter();
        await writer.write(encode("streams"));
        await writer.close();
        assertEquals(await new Response(streams.stdout).text(), "STREAMS");

        const file: `${string}/${string}` = `${directory}/file`;
        const into = pipeline(["echo", "file"], ["cat"], { stdout: file });
        assert((await into.status).success);
        assertEquals(readText(file), "file\n");

        const [reader, end] = pipe();
        const through = pipeline(["cat"], ["tr", "f", "p"], {
          stdin: file,
          stdout: end,
        });
        close(end);
        assertEquals(decode(readAll(reader)), "pile\n");
        close(reader);
        await through.status;
        assertThrows(() => through.stdin, TypeError, "'stdin' is not piped");
        assertThrows(() => through.stdout, TypeError, "'stdout' is not piped");
        await assertRejects(
          () => through.output(),
          TypeError,
          "'stdout' is not piped",
        );
      })()
    ),
);

Deno.test(
  "pipeline() gives commands their own options, stderr among them",
  withoutLeaks(async () => {
    const piped = pipeline(
      {
        file: "sh",
        args: ["-c", "pwd; echo $A >&2"],
        cwd: "/usr",
        env: { A: "to stderr" },
        stderr: "stdout",
      },
      { file: "sh", args: ["-c", "cat; echo apart >&2"], stderr: "piped" },
    );
    const [out, err] = await Promise.all([
      piped.text(),
      piped.children[1]!.output().then(({ stderr }) => decode(stderr)).catch((
        error,
      ) => error),
    ]);
    assertEquals(out, "/usr\nto stderr\n");
    assert(
      err instanceof TypeError,
      "text() has read all streams of the last program",
    );
  }),
);

Deno.test(
  "Pipeline.lines() gives each line as it comes, across chunks and letters, and ends the rest when it is left",
  withoutLeaks(async () => {
    const script =
      "printf 'a\\n\\nb'; sleep 0.05; printf '\\344'; sleep 0.05; printf '\\275\\240\\nlast'";
    assertEquals(await Array.fromAsync(pipeline(sh(script)).lines()), [
      "a",
      "",
      "b你",
      "last",
    ]);
    const endless = pipeline(["yes"], ["cat"]);
    for await (const line of endless.lines()) {
      assertEquals(line, "y");
      break;
    }
    const { cutShort, failed } = await endless.status;
    assertEquals([cutShort, failed], [[0, 1], []]);
  }),
);

Deno.test(
  "Pipeline.kill() and disposing end all, the stubborn too, and do no harm twice",
  withoutLeaks(async () => {
    const killed = pipeline(["sleep", "60"], ["sleep", "60"], ["sleep", "60"]);
    killed.kill();
    const { stages } = await killed.status;
    assertEquals(stages.map(({ signal }) => signal), Array(3).fill("SIGTERM"));
    killed.kill();
    assertThrows(() => killed.kill("SIGTREM" as never), TypeError, "SIGTERM");
    await killed[Symbol.asyncDispose]();
    let status;
    {
      await using stubborn = pipeline(
        sh("trap '' TERM; echo ready; while :; do sleep 0.01; done"),
        sh("trap '' TERM; cat; while :; do sleep 0.01; done"),
        { killGrace: 20, stdin: "piped" },
      );
      for await (const line of stubborn.lines()) {
        assertEquals(line, "ready");
        break;
      }
      status = stubborn.status;
    }
    const signals = (await status).stages.map(({ signal }) => signal);
    assertEquals(signals, ["SIGKILL", "SIGKILL"]);
  }),
);

Deno.test(
  "pipeline() ends all with its timeout or signal",
  withoutLeaks(async () => {
    const late = await pipeline(["sleep", "60"], ["sleep", "60"], {
      timeout: 5,
    }).output();
    assertEquals([late.timedOut, late.code, late.stdout.length], [
      true,
      143,
      0,
    ]);
    const controller = new AbortController();
    const running = pipeline(["sleep", "60"], ["sleep", "60"], {
      signal: controller.signal,
    });
    controller.abort();
    assertEquals((await running.output()).stages.map(({ signal }) => signal), [
      "SIGTERM",
      "SIGTERM",
    ]);
    assertThrows(
      () => pipeline(["true"], { signal: controller.signal }),
      DOMException,
    );
  }),
);

Deno.test(
  "pipeline() that cannot start one program leaves none running",
  withoutLeaks(() => {
    for (let bad = 0; bad < 3; bad++) {
      const commands = [0, 1, 2].map((index) =>
        index === bad ? ["/no/such/program"] : ["sleep", "60"]
      );
      const options: PipelineOptions = { stdin: "piped" };
      const error = assertThrows(
        () => pipeline(...commands, options),
        PosixError,
      );
      assertEquals([error.code, error.path], ["ENOENT", "/no/such/program"]);
      assertEquals(children(), "");
    }
    const lost = assertThrows(
      () => pipeline(["cat"], { file: "cat", cwd: "/no/such" }, ["cat"]),
      PosixError,
    );
    assertEquals([lost.syscall, lost.path], ["chdir", "/no/such"]);
  }),
);

Deno.test(
  "pipeline() refuses wrong arguments before anything has happened",
  withoutLeaks(() => {
    const bad = (args: unknown[], message: string, type = TypeError) =>
      assertThrows(() => pipeline(...args as string[][]), type, message);
    bad([], "'commands' must not be empty");
    bad([{ stdin: "null" }], "'commands' must not be empty");
    bad([["cat"], []], "'commands[1]' must have a program", RangeError);
    bad([["cat"], "cat"], "'commands[1]' must be an array");
    bad([["cat"], { arg: [] }], "'commands[1]' must have a 'file'");
    bad([{ stdin: "null" }, ["cat"]], "'commands[0]' must have a 'file'");
    bad([{ file: "cat", stdin: "null" }], "must not have 'stdin'");
    bad([["cat"], ["cat", "\0"]], "commands[1]: ");
    bad([["cat"], { timeout: -1 }], "'timeout'", RangeError);
  }),
);
