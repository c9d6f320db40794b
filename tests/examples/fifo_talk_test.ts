import { assertEquals } from "@std/assert";
import { withDirectory, withoutLeaks } from "../_helpers.ts";
import { assertEmptyFifo, assertMissing } from "./_file_state.ts";
import { type RunningExample, startExample } from "./_run.ts";

Deno.test(
  "examples fifo-talk-1 and fifo-talk-2 ask and answer, the asker first to start",
  withFifo(async (path) => {
    await using asker = startExample("fifo-talk-1", [path]);
    await asker.until(/^asking: /m);
    assertEmptyFifo(path);
    await using answerer = startExample("fifo-talk-2", [path]);
    await assertTalk(asker, answerer, path);
  }),
);

Deno.test(
  "examples fifo-talk-1 and fifo-talk-2 ask and answer, the answerer first to start",
  withFifo(async (path) => {
    await using answerer = startExample("fifo-talk-2", [path]);
    await answerer.until(/^waiting for a question$/m);
    assertEmptyFifo(path);
    await using asker = startExample("fifo-talk-1", [path]);
    await assertTalk(asker, answerer, path);
  }),
);

function withFifo(body: (path: string) => Promise<void>): () => Promise<void> {
  return withoutLeaks(() =>
    withDirectory((directory) => body(`${directory}/fifo`))
  );
}

async function assertTalk(
  asker: RunningExample,
  answerer: RunningExample,
  path: string,
): Promise<void> {
  const [asked, answered] = [await asker.finish(), await answerer.finish()];
  assertEquals([asked.raw, answered.raw], [0, 0]);
  assertEquals([asked.stderr, answered.stderr], ["", ""]);
  assertEquals(
    answered.stdout,
    "waiting for a question\nheard: 1: how are you?\n",
  );
  assertEquals(
    asked.stdout,
    "asking: 1: how are you?\nheard: 2: fine, thank you\n",
  );
  assertMissing(path);
}
