import { assert, assertEquals, assertRejects } from "@std/assert";
import { spawnPty } from "../../exec/mod.ts";
import { Conversation, ExpectError } from "../../examples/_expect.ts";
import { withoutLeaks } from "../_helpers.ts";
import { runCleanly } from "./_run.ts";

Deno.test(
  "example expect: drives a program by what it prints, and stops waiting when time is up",
  withoutLeaks(async () => {
    const { stdout } = await runCleanly("expect", ["77"]);
    assertEquals(stdout.split("\n"), [
      "50: more",
      "75: more",
      "88: less",
      "81: less",
      "78: less",
      "76: more",
      "77: right",
      "the game has ended with 0",
      'timeout: no /./ in time, but ""',
      "",
    ]);
  }),
);

Deno.test(
  "example expect: a conversation keeps what has come after a match, and what came while nobody waited",
  withoutLeaks(async () => {
    await using pty = spawnPty("sh", ["-c", "echo one two; read x; echo $x"]);
    const program = new Conversation(pty);
    await program.expect({ one: /one/ });
    const { name, match } = await program.expect({ no: /never/, two: /tw(o)/ });
    assertEquals([name, match[1]], ["two", "o"]);
    const late = await assertRejects(
      () => program.expect({ three: /three/ }, 1),
      ExpectError,
    );
    assertEquals(late.reason, "timeout");
    await program.send("three");
    await program.expect({ three: /three\r\nthree/ });
    const over = await assertRejects(
      () => program.expect({ four: /four/, five: /five/ }),
      ExpectError,
    );
    assertEquals([over.reason, over.printed], ["end", "\r\n"]);
    assert(
      over.message.startsWith("no /four/ or /five/ before the end"),
      over.message,
    );
  }),
);
