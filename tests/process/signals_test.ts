import { assert, assertEquals } from "@std/assert";
import { signalName, SIGNALS } from "../../process/signals.ts";

Deno.test("SIGNALS has the names and numbers of bash's kill -l", () => {
  const names = Object.keys(SIGNALS) as (keyof typeof SIGNALS)[];
  const aliases = { SIGIOT: "SIGABRT", SIGCLD: "SIGCHLD", SIGPOLL: "SIGIO" };
  const numbers = names.filter((name) => !(name in aliases))
    .map((name) => SIGNALS[name]);
  assertEquals(numbers.toSorted((a, b) => a - b), [
    ...Array.from({ length: 31 }, (_, index) => index + 1),
    ...Array.from({ length: 31 }, (_, index) => index + 34),
  ]);
  for (const [alias, name] of Object.entries(aliases)) {
    assertEquals(signalName(SIGNALS[alias as "SIGIOT"]), name);
  }
  assertEquals(
    [SIGNALS.SIGHUP, SIGNALS.SIGCHLD, SIGNALS.SIGSYS, SIGNALS.SIGRTMIN],
    [1, 17, 31, 34],
  );
  assertEquals(
    [SIGNALS["SIGRTMIN+15"], SIGNALS["SIGRTMAX-14"], SIGNALS.SIGRTMAX],
    [49, 50, 64],
  );
});

Deno.test("SIGNALS is frozen", () => {
  assert(Object.isFrozen(SIGNALS));
});
