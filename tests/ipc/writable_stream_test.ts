import {
  assert,
  assertEquals,
  assertRejects,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import { PosixError } from "../../ffi/errors.ts";
import {
  close,
  dup,
  getPipeSize,
  O_CREAT,
  O_NONBLOCK,
  O_PATH,
  O_RDONLY,
  O_WRONLY,
  open,
  pipe,
  readableStream,
  readAll,
  writableStream,
} from "../../ipc/mod.ts";
import {
  forkWith,
  openDescriptors,
  reap,
  withDirectory,
  withoutLeaks,
} from "../_helpers.ts";
import {
  assertRefused,
  CLOSED_FD,
  decode,
  encode,
  flagsOf,
  sockets,
} from "./_helpers.ts";

const isOpen = (fd: number) => openDescriptors().includes(fd);

const turn = () => new Promise((resolve) => setTimeout(resolve, 5));

/** Whether the promise settles within a turn of the event loop. */
const isSettled = (promise: Promise<unknown>) =>
  Promise.race([
    promise.then(() => true, () => true),
    turn().then(() => false),
  ]);

Deno.test(
  "writableStream() writes chunks in order, and closes when it is closed",
  withoutLeaks(async () => {
    const [reader, writer] = pipe();
    const stream = writableStream(writer).getWriter();
    await stream.write(encode("one, "));
    await stream.write(encode(""));
    stream.write(encode("two, "));
    stream.write(encode("三"));
    await stream.close();
    assert(!isOpen(writer));
    assertEquals(decode(readAll(reader)), "one, two, 三");
    close(reader);
  }),
);

Deno.test(
  "writableStream() holds a write back while the pipe is full, and the event loop goes on",
  withoutLeaks(async () => {
    const [reader, writer] = pipe();
    const capacity = getPipeSize(writer);
    const stream = writableStream(writer).getWriter();
    const data = crypto.getRandomValues(new Uint8Array(65_536));
    await stream.write(data);
    const held = stream.write(data.subarray(0, 3));
    assertEquals(await isSettled(held), false);
    assert(stream.desiredSize! <= 0);
    const output = readableStream(reader, { chunkSize: capacity }).getReader();
    assertEquals((await output.read()).value, data);
    await held;
    await stream.ready;
    assertEquals((await output.read()).value, data.slice(0, 3));
    await stream.close();
    assert((await output.read()).done);
  }),
);

Deno.test(
  "writableStream() takes a chunk larger than any pipe, and gives another process each byte in its place",
  withoutLeaks(async () => {
    const LENGTH = 8 * 1_048_576;
    const [reader, writer] = pipe();
    const child = forkWith(() => {
      close(writer);
      const words = new Uint32Array(readAll(reader).buffer);
      assertEquals(words.length, LENGTH / 4);
      assert(words.every((word, index) => word === index));
    });
    close(reader);
    const words = Uint32Array.from({ length: LENGTH / 4 }, (_, i) => i);
    const stream = writableStream(writer).getWriter();
    await stream.write(new Uint8Array(words.buffer));
    await stream.close();
    assertEquals(reap(child), 0);
  }),
);

Deno.test(
  "writableStream() leaves the event loop to others while there is always room",
  withoutLeaks(async () => {
    const stream = writableStream(open("/dev/null", O_WRONLY)).getWriter();
    let ticks = 0;
    const timer = setInterval(() => ticks++, 1);
    const deadline = performance.now() + 10_000;
    const chunk = new Uint8Array(65_536);
    while (ticks < 3 && performance.now() < deadline) await stream.write(chunk);
    clearInterval(timer);
    assert(ticks >= 3);
    await stream.close();
  }),
);

Deno.test(
  "writableStream() fails with EPIPE when nobody is left to read, at once or while a write is held back, and closes",
  withoutLeaks(async () => {
    for (const full of [false, true]) {
      const [reader, writer] = pipe();
      const stream = writableStream(writer).getWriter();
      if (full) await stream.write(new Uint8Array(65_536));
      else close(reader);
      const write = stream.write(encode("x"));
      if (full) {
        assertEquals(await isSettled(write), false);
        close(reader);
      }
      const error = await assertRejects(() => write, PosixError);
      assertEquals([error.code, error.syscall], ["EPIPE", "write"]);
      assert(!isOpen(writer));
      assertStrictEquals(await stream.closed.catch((e) => e), error);
      await stream.abort();
    }
  }),
);

Deno.test(
  "writableStream() that is aborted does not wait for a write that is held back, and has closed when abort() resolves",
  withoutLeaks(async () => {
    const [reader, writer] = pipe();
    const stream = writableStream(writer).getWriter();
    await stream.write(new Uint8Array(65_536));
    const held = stream.write(encode("never"));
    assertEquals(await isSettled(held), false);
    const reason = new Error("no more");
    const closed = stream.closed.catch((error) => error);
    const aborted = stream.abort(reason);
    await assertRejects(() => held);
    await aborted;
    assertStrictEquals(await closed, reason);
    assert(!isOpen(writer));
    assertEquals(readAll(reader), new Uint8Array(65_536));
    close(reader);
  }),
);

Deno.test(
  "writableStream() leaves the descriptor open with autoClose: false",
  withoutLeaks(async () => {
    const [reader, writer] = pipe();
    for (const word of ["one ", "two"]) {
      const stream = writableStream(writer, { autoClose: false }).getWriter();
      await stream.write(encode(word));
      await stream.close();
    }
    await writableStream(writer, { autoClose: false }).abort();
    assert(isOpen(writer));
    close(writer);
    assertEquals(decode(readAll(reader)), "one two");
    close(reader);
  }),
);

Deno.test(
  "writableStream() and readableStream() over one socket and a duplicate of it talk both ways",
  withoutLeaks(async () => {
    const [left, right] = sockets(1);
    const ends = [left, right].map((fd) => ({
      output: writableStream(dup(fd)).getWriter(),
      input: readableStream(fd).getReader(),
    }));
    const [one, other] = [ends[0]!, ends[1]!];
    const question = other.input.read();
    const answer = one.input.read();
    await turn();
    await one.output.write(encode("question"));
    assertEquals(decode((await question).value!), "question");
    await other.output.write(encode("answer"));
    assertEquals(decode((await answer).value!), "answer");
    for (const { output, input } of ends) {
      await output.close();
      await input.cancel();
    }
  }),
);

Deno.test(
  "writableStream() writes regular files",
  withoutLeaks(() =>
    withDirectory(async (directory) => {
      const path = `${directory}/file`;
      const data = crypto.getRandomValues(new Uint8Array(65_536));
      await new Blob(Array(20).fill(data)).stream()
        .pipeTo(writableStream(open(path, O_WRONLY | O_CREAT)));
      const file = open(path, O_RDONLY);
      const bytes = readAll(file);
      close(file);
      assertEquals(bytes.length, 20 * data.length);
      assertEquals(bytes.slice(-data.length), data);
    })
  ),
);

Deno.test(
  "writableStream() fails for a chunk that is no bytes, and closes",
  withoutLeaks(async () => {
    for (const chunk of ["text", new ArrayBuffer(1), null]) {
      const [reader, writer] = pipe();
      const stream = writableStream(writer).getWriter();
      await assertRejects(
        () => stream.write(chunk as never),
        TypeError,
        "'chunk' must be a Uint8Array",
      );
      assert(!isOpen(writer));
      await stream.closed.catch(() => {});
      close(reader);
    }
  }),
);

Deno.test(
  "writableStream() refuses what cannot be written, and leaves it open",
  withoutLeaks(() => {
    assertRefused(() => writableStream(CLOSED_FD), "EBADF", "fcntl");
    const [reader, writer] = pipe();
    const path = open("/", O_PATH);
    for (const fd of [reader, path]) {
      assertRefused(() => writableStream(fd), "EBADF", "write");
      assert(isOpen(fd));
      assertEquals(flagsOf(fd) & O_NONBLOCK, 0);
    }
    for (const fd of [reader, writer, path]) close(fd);
    assertThrows(() => writableStream("1" as never), TypeError, "'fd'");
    assertThrows(() => writableStream(-1), RangeError, "'fd'");
    assertThrows(
      () => writableStream(1, { autoClose: "yes" as never }),
      TypeError,
      "'autoClose'",
    );
  }),
);
