import { assertEquals } from "@std/assert";
import { close, pipe, writeAll } from "../../ipc/mod.ts";
import { getpid } from "../../process/mod.ts";
import { withoutLeaks } from "../_helpers.ts";
import { assertMissing } from "./_file_state.ts";
import { type RunningExample, startExample } from "./_run.ts";

const ALICE = `alice-${getpid()}`;
const BOB = `bob-${getpid()}`;

/** Starts one of the two, and gives what is to be typed into. */
function start(me: string, other: string): [RunningExample, number] {
  const [stdin, typing] = pipe();
  const example = startExample("chat", [me, other], { stdin });
  close(stdin);
  return [example, typing];
}

function assertNoNames(): void {
  for (const name of [ALICE, BOB]) {
    assertMissing(`/dev/shm/example-chat-${name}`);
  }
}

Deno.test(
  "example chat lets unrelated processes talk until one of them leaves",
  withoutLeaks(async () => {
    const [alice, aliceTypes] = start(ALICE, BOB);
    await using _alice = alice;
    await alice.until(/ is process \d+\n/);
    // Bob is not there yet, and finds what was said.
    writeAll(aliceTypes, "hello?\n你好\n");
    const [bob, bobTypes] = start(BOB, ALICE);
    await using _bob = bob;
    await bob.until(/你好\n/);
    writeAll(bobTypes, "here I am\n");
    await alice.until(/here I am\n/);
    close(aliceTypes);
    const [ended, left] = [await alice.finish(), await bob.finish()];
    close(bobTypes);
    assertEquals([ended.stderr, left.stderr], ["", ""]);
    assertEquals([ended.raw, left.raw], [0, 0]);
    assertEquals(
      ended.stdout,
      `${ALICE} is process ${alice.pid}\n${BOB} (${bob.pid}): here I am\n`,
    );
    assertEquals(
      left.stdout,
      `${BOB} is process ${bob.pid}\n${ALICE} (${alice.pid}): hello?\n` +
        `${ALICE} (${alice.pid}): 你好\n${ALICE} has left\n`,
    );
    assertNoNames();
  }),
);

Deno.test(
  "example chat keeps what was said for one who comes when the other has left",
  withoutLeaks(async () => {
    const [alice, aliceTypes] = start(ALICE, BOB);
    await using _alice = alice;
    writeAll(aliceTypes, "see you\n");
    close(aliceTypes);
    assertEquals((await alice.finish()).raw, 0);
    const [bob, bobTypes] = start(BOB, ALICE);
    await using _bob = bob;
    const { raw, stdout } = await bob.finish();
    close(bobTypes);
    assertEquals(raw, 0);
    assertEquals(stdout.split("\n").slice(1), [
      `${ALICE} (${alice.pid}): see you`,
      `${ALICE} has left`,
      "",
    ]);
    assertNoNames();
  }),
);
