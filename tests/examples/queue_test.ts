import { assertEquals } from "@std/assert";
import { withoutLeaks } from "../_helpers.ts";
import { runCleanly } from "./_run.ts";

Deno.test(
  "example queue has the question arrive before the answer",
  withoutLeaks(async () => {
    const { pid, stdout } = await runCleanly("queue");
    const child = Number(stdout.match(/^child (\d+) got/m)?.[1]);
    assertEquals(stdout.trimEnd().split("\n"), [
      `parent ${pid} got from ${child}: 你是谁？ (Who are you?)`,
      `child ${child} got from ${pid}: 我是你的父进程。 (I am your parent.)`,
      `child ${child} ended with status 0`,
    ]);
  }),
);
