import {
  assert,
  assertEquals,
  assertLess,
  assertStringIncludes,
} from "@std/assert";
import { close, mkfifo, O_CREAT, O_WRONLY, open } from "../../ipc/mod.ts";
import { kill } from "../../process/mod.ts";
import { readText, withDirectory, withoutLeaks } from "../_helpers.ts";
import { assertEmptyFifo, assertMissing } from "./_file_state.ts";
import { runExample, type RunningExample, startExample } from "./_run.ts";

Deno.test(
  "examples fifo-write and fifo-read pass messages in order, the writer first to start",
  withFifo(async (path) => {
    await using writer = startExample("fifo-write", [path, "3"]);
    await writer.until(/waiting for a reader/);
    assertEmptyFifo(path);
    await using reader = startExample("fifo-read", [path]);
    await assertThreeMessages(writer, reader, path);
  }),
);

Deno.test(
  "examples fifo-write and fifo-read pass messages in order, the reader first to start",
  withFifo(async (path) => {
    await using reader = startExample("fifo-read", [path]);
    await reader.until(/waiting for a writer/);
    assertEmptyFifo(path);
    await using writer = startExample("fifo-write", [path, "3"]);
    await assertThreeMessages(writer, reader, path);
  }),
);

Deno.test(
  "example fifo-write says so when its only reader was killed",
  withFifo(async (path) => {
    await using writer = startExample("fifo-write", [path, "100"]);
    await using reader = startExample("fifo-read", [path]);
    await reader.until(/^read: message 2$/m);
    assertEmptyFifo(path);
    kill(reader.pid, "SIGKILL");
    assertEquals((await reader.finish()).raw, 9);
    assertTold(await writer.finish());
  }),
);

Deno.test(
  "example fifo-write goes on while one of two readers is left",
  withFifo(async (path) => {
    mkfifo(path);
    await using writer = startExample("fifo-write", [path, "100"]);
    await using one = startExample("fifo-read", [path]);
    await one.until(/^read: message/m);
    await using other = startExample("fifo-read", [path, "2"]);
    // Each message goes to one of them, so that both have read when the other has something.
    await other.until(/^read: message/m);
    kill(one.pid, "SIGKILL");
    await one.finish();
    assertEquals((await other.finish()).raw, 0);
    assertTold(await writer.finish());
    assertEmptyFifo(path); // neither has made it, so neither has removed it
  }),
);

Deno.test(
  "example fifo-write refuses to write to what is no FIFO",
  withFifo(async (path) => {
    close(open(path, O_WRONLY | O_CREAT));
    const { status, stderr } = await runExample("fifo-write", [path]);
    assertEquals(status, { kind: "exited", code: 1 });
    assertStringIncludes(stderr, "Cannot get pipe size");
    assertEquals(readText(path), "");
  }),
);

function withFifo(body: (path: string) => Promise<void>): () => Promise<void> {
  return withoutLeaks(() =>
    withDirectory((directory) => body(`${directory}/fifo`))
  );
}

async function assertThreeMessages(
  writer: RunningExample,
  reader: RunningExample,
  path: string,
): Promise<void> {
  for (const number of [1, 2, 3]) {
    await reader.until(new RegExp(`^(?:read: )?message ${number}$`, "m"));
    if (number < 3) assertEmptyFifo(path);
  }
  const [written, read] = [await writer.finish(), await reader.finish()];
  assertEquals([written.raw, read.raw], [0, 0]);
  assertEquals([written.stderr, read.stderr], ["", ""]);
  assertEquals(
    read.stdout.match(/message \d+/g),
    ["message 1", "message 2", "message 3"],
  );
  assertStringIncludes(written.stdout, "wrote message 3\nall messages are");
  assertStringIncludes(read.stdout, "every writer is gone");
  assertMissing(path);
}

/** Asserts that the writer ended because nobody was left to read, and cleanly. */
function assertTold(
  writer: { raw: number; stdout: string; stderr: string },
): void {
  assertEquals(writer.stderr, "");
  assertEquals(writer.raw, 0);
  assert(writer.stdout.endsWith(
    "every reader is gone (EPIPE), so nothing more is written\n",
  ));
  assertLess(writer.stdout.match(/^wrote message/gm)?.length ?? 0, 100);
}
