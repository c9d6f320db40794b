import { assert, assertEquals } from "@std/assert";
import { withoutLeaks } from "../_helpers.ts";
import { runCleanly } from "./_run.ts";

Deno.test(
  "example warm-workers builds its table once, and every worker answers from it, rightly",
  withoutLeaks(async () => {
    const { pid, stdout } = await runCleanly("warm-workers", ["3", "100000"]);
    assertEquals(
      [...stdout.matchAll(/built by PID (\d+)/g)].map(([, p]) => p),
      [
        String(pid),
      ],
    );

    const answers = [...stdout.matchAll(/^PID (\d+): (\d+) = (.+)$/gm)];
    assertEquals(answers.length, 15);
    for (const [, , number, factors] of answers) {
      const primes = factors!.split(" × ").map(Number);
      assertEquals(primes.reduce((a, b) => a * b), Number(number));
      assert(primes.every((n) => n > 1));
    }
    const workers = new Set(answers.map(([, worker]) => worker));
    assert(workers.size >= 1 && workers.size <= 3);
    assert(!workers.has(String(pid)));
  }),
);
