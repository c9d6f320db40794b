import { PosixError } from "../../ffi/errors.ts";
import {
  close,
  dup,
  getPipeSize,
  mkfifo,
  O_CREAT,
  O_DIRECTORY,
  O_NONBLOCK,
  O_PATH,
  O_RDONLY,
  O_RDWR,
  O_WRONLY,
  open,
  openpty,
  pipe,
  readableStream,
  readAll,
  writableStream,
  write,
  writeAll,
} from "../../ipc/mod.ts";
import {
  directoryEntries,
  forkWith,
  forkWithAsync,
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
  leaveDescriptors,
  sockets,
} from "./_helpers.ts";
import {
  assert,
  assertEquals,
  assertRejects,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";

const isOpen = (fd: number) => openDescriptors().includes(fd);

const text = (stream: ReadableStream<Uint8Array<ArrayBuffer>>) =>
  new Response(stream).text();

/** A turn of the event loop, in which a read that is not to be done would have been. */
const turn = () => new Promise((resolve) => setTimeout(resolve, 5));

Deno.test(
  "readableStream() gives what is there as one chunk, waits for more, and ends and closes with the last writer",
  withoutLeaks(async () => {
    const [reader, writer] = pipe();
    const stream = readableStream(reader).getReader();
    write(writer, "one, ");
    write(writer, "two");
    assertEquals(decode((await stream.read()).value!), "one, two");
    const next = stream.read();
    await turn();
    write(writer, "三");
    assertEquals(decode((await next).value!), "三");
    assert(isOpen(reader));
    close(writer);
    assert((await stream.read()).done);
    assert(!isOpen(reader));
    await stream.closed;
  }),
);

Deno.test(
  "readableStream() reads nothing before somebody asks, and no more than a chunk then",
  withoutLeaks(async () => {
    const [reader, writer] = pipe();
    const second = dup(reader);
    const stream = readableStream(reader, { chunkSize: 4 }).getReader();
    write(writer, "abcdefghij");
    await turn();
    assertEquals(decode((await stream.read()).value!), "abcd");
    await turn();
    close(writer);
    const rest = readableStream(second);
    assertEquals(await text(rest), "efghij");
    await stream.cancel();
  }),
);

Deno.test(
  "readableStream() leaves the event loop to others while there is always something to read",
  withoutLeaks(async () => {
    const zeros = readableStream(open("/dev/zero", O_RDONLY));
    let ticks = 0;
    const timer = setInterval(() => ticks++, 1);
    const deadline = performance.now() + 10_000;
    let bytes = 0;
    for await (const chunk of zeros) {
      bytes += chunk.length;
      if (ticks >= 3 || performance.now() > deadline) break;
    }
    clearInterval(timer);
    assert(ticks >= 3, `${ticks} ticks in ${bytes} bytes`);
  }),
);

Deno.test(
  "readableStream() reads a regular file to its end, from where the descriptor is",
  withoutLeaks(() =>
    withDirectory(async (directory) => {
      const path = `${directory}/file`;
      const data = crypto.getRandomValues(new Uint8Array(60_000));
      const file = open(path, O_WRONLY | O_CREAT);
      for (let i = 0; i < 5; i++) writeAll(file, data);
      close(file);
      const chunks = await Array.fromAsync(
        readableStream(open(path, O_RDONLY)),
      );
      assertEquals(chunks.map(({ length }) => length), [
        65_536,
        65_536,
        65_536,
        65_536,
        37_856,
      ]);
      const all = new Uint8Array(await new Blob(chunks).arrayBuffer());
      for (let i = 0; i < 5; i++) {
        assertEquals(all.subarray(i * 60_000, (i + 1) * 60_000), data);
      }
    })
  ),
);

Deno.test(
  "readableStream() gives chunks with memory of their own",
  withoutLeaks(async () => {
    const [reader, writer] = pipe();
    const stream = readableStream(reader).getReader();
    const chunks: Uint8Array[] = [];
    for (const size of [3, 60_000, 10, 65_536, 1]) {
      writeAll(writer, new Uint8Array(size).fill(size % 251));
      chunks.push((await stream.read()).value!);
    }
    assertEquals(
      chunks.map((chunk) => [chunk.length, chunk[0], chunk.at(-1)]),
      [3, 60_000, 10, 65_536, 1].map((size) => [size, size % 251, size % 251]),
    );
    // A small chunk does not hold on to the memory of a large one.
    assertEquals(chunks[0]!.buffer.byteLength, 3);
    close(writer);
    await stream.cancel();
  }),
);

Deno.test(
  "readableStream() has readers that bring their own buffers",
  withoutLeaks(async () => {
    const [reader, writer] = pipe();
    const stream = readableStream(reader).getReader({ mode: "byob" });
    write(writer, "abcdef");
    const first = await stream.read(new Uint8Array(4));
    assertEquals(decode(first.value!), "abcd");
    const waiting = stream.read(new Uint8Array(first.value!.buffer, 1, 3));
    assertEquals(decode((await waiting).value!), "ef");
    const last = stream.read(new Uint8Array(8));
    await turn();
    close(writer);
    const { done, value } = await last;
    assertEquals([done, value?.length], [true, 0]);
    assert(!isOpen(reader));
  }),
);

Deno.test(
  "readableStream() that is cancelled closes at once, and the writer sees EPIPE",
  withoutLeaks(async () => {
    const [reader, writer] = pipe();
    const stream = readableStream(reader);
    await stream.cancel();
    assert(!isOpen(reader));
    assertRefused(() => write(writer, "x"), "EPIPE", "write");
    close(writer);
  }),
);

Deno.test(
  "readableStream() that is cancelled while a read waits ends it, and has closed when cancel() resolves",
  withoutLeaks(async () => {
    const [reader, writer] = pipe();
    const stream = readableStream(reader).getReader();
    const read = stream.read();
    await turn();
    const cancelled = stream.cancel("no more");
    assert((await read).done);
    await cancelled;
    assert(!isOpen(reader));
    assertRefused(() => write(writer, "x"), "EPIPE", "write");
    close(writer);
  }),
);

Deno.test(
  "readableStream() closes its descriptor once, not the one that gets its number next",
  withoutLeaks(async () => {
    const [reader, writer] = pipe();
    const stream = readableStream(reader).getReader();
    close(writer);
    await stream.read();
    const next = open("/dev/null", O_RDONLY);
    assertEquals(next, reader);
    await stream.cancel();
    await stream.closed;
    assert(isOpen(next));
    close(next);
  }),
);

Deno.test(
  "readableStream() leaves the descriptor open with autoClose: false, at the end and when cancelled",
  withoutLeaks(async () => {
    const [reader, writer] = pipe();
    write(writer, "abc");
    const stream = readableStream(reader, { autoClose: false, chunkSize: 2 });
    const first = stream.getReader();
    assertEquals(decode((await first.read()).value!), "ab");
    const pending = (await first.read(), first.read());
    await turn();
    await first.cancel();
    await pending;
    assert(isOpen(reader));
    write(writer, "d");
    close(writer);
    assertEquals(
      await text(readableStream(reader, { autoClose: false })),
      "d",
    );
    close(reader);
  }),
);

Deno.test(
  "readableStream() switches the open file to O_NONBLOCK",
  withoutLeaks(async () => {
    const [reader, writer] = pipe();
    const second = dup(reader);
    const stream = readableStream(reader);
    assert((flagsOf(second) & O_NONBLOCK) !== 0);
    assert((flagsOf(writer) & O_NONBLOCK) === 0);
    await stream.cancel();
    close(second);
    close(writer);
  }),
);

Deno.test(
  "readableStream() reads sockets, and FIFOs that are open for both",
  withoutLeaks(() =>
    withDirectory(async (directory) => {
      const [left, right] = sockets(1);
      const socket = text(readableStream(left));
      await turn();
      write(right, "socket");
      close(right);
      assertEquals(await socket, "socket");

      mkfifo(`${directory}/fifo`);
      const fifo = open(`${directory}/fifo`, O_RDWR);
      const stream = readableStream(fifo).getReader();
      const read = stream.read();
      await turn();
      write(fifo, "fifo");
      assertEquals(decode((await read).value!), "fifo");
      await stream.cancel();
    })
  ),
);

Deno.test(
  "readableStream() takes EIO of a terminal's controller for the end",
  withoutLeaks(async () => {
    const { controller, terminal } = openpty();
    write(terminal, "printed");
    const output = text(readableStream(controller));
    await turn();
    close(terminal);
    assertEquals(await output, "printed");
  }),
);

Deno.test(
  "readableStream() fails with the system's error and closes",
  withoutLeaks(async () => {
    const directory = open("/", O_RDONLY | O_DIRECTORY);
    const stream = readableStream(directory).getReader();
    const error = await assertRejects(() => stream.read(), PosixError);
    assertEquals([error.code, error.syscall], ["EISDIR", "read"]);
    assert(!isOpen(directory));
    assertStrictEquals(await stream.closed.catch((reason) => reason), error);
  }),
);

Deno.test(
  "readableStream() refuses what cannot be read, and leaves it open",
  withoutLeaks(() => {
    assertRefused(() => readableStream(CLOSED_FD), "EBADF", "fcntl");
    const [reader, writer] = pipe();
    const path = open("/", O_PATH);
    for (const fd of [writer, path]) {
      assertRefused(() => readableStream(fd), "EBADF", "read");
      assert(isOpen(fd));
      assertEquals(flagsOf(fd) & O_NONBLOCK, 0);
    }
    for (const fd of [reader, writer, path]) close(fd);
  }),
);

Deno.test("readableStream() refuses wrong arguments", () => {
  assertThrows(() => readableStream("0" as never), TypeError, "'fd'");
  assertThrows(() => readableStream(-1), RangeError, "'fd'");
  assertThrows(
    () => readableStream(0, { autoClose: 1 as never }),
    TypeError,
    "'autoClose' must be a boolean: current value is 1",
  );
  for (const chunkSize of [0, -1, 1.5, 2 ** 31]) {
    assertThrows(() => readableStream(0, { chunkSize }), RangeError);
  }
});

Deno.test(
  "readableStream() that finds no descriptor for waiting fails with EMFILE, and works again afterwards",
  withoutLeaks(async () => {
    const child = await forkWithAsync(async () => {
      const [first, writer] = pipe();
      const second = dup(first);
      leaveDescriptors(0);
      const stream = readableStream(first).getReader();
      const error = await assertRejects(() => stream.read(), PosixError);
      assertEquals(error.code, "EMFILE");
      // The number that is free now is enough for the eventfd.
      assert(!isOpen(first));
      const again = text(readableStream(second));
      await turn();
      write(writer, "works");
      close(writer);
      assertEquals(await again, "works");
    });
    assertEquals(reap(child), 0);
  }),
);

Deno.test(
  "readableStream() waits on 100 pipes at once without a thread for each",
  withoutLeaks(async () => {
    const pipes = Array.from({ length: 100 }, () => pipe());
    const threads = () => directoryEntries("/proc/self/task").length;
    const before = threads();
    const texts = pipes.map(([reader]) => text(readableStream(reader)));
    for (let round = 0; round < 3; round++) {
      for (const [index, [, writer]] of pipes.entries()) {
        write(writer, `${index}:${round} `);
        if (index % 10 === 0) await turn();
      }
    }
    const during = threads();
    assert(during <= before + 2, `${during} threads after ${before}`);
    for (const [, writer] of pipes) close(writer);
    assertEquals(
      await Promise.all(texts),
      pipes.map((_, index) => `${index}:0 ${index}:1 ${index}:2 `),
    );
  }),
);

Deno.test(
  "readableStream() gets 32 MiB from another process, each byte in its place",
  withoutLeaks(async () => {
    const MIB = 1_048_576;
    const [reader, writer] = pipe();
    const child = forkWith(() => {
      close(reader);
      const block = new Uint32Array(MIB / 4);
      for (let i = 0; i < 32; i++) {
        block.forEach((_, at) => block[at] = i * block.length + at);
        writeAll(writer, new Uint8Array(block.buffer));
      }
    });
    close(writer);
    const bytes = new Uint8Array(
      await new Response(readableStream(reader)).arrayBuffer(),
    );
    assertEquals(reap(child), 0);
    assertEquals(bytes.length, 32 * MIB);
    const words = new Uint32Array(bytes.buffer);
    assert(words.every((word, index) => word === index));
  }),
);

Deno.test(
  "readableStream() can be teed and piped",
  withoutLeaks(async () => {
    const [reader, writer] = pipe();
    const [left, right] = readableStream(reader).tee();
    writeAll(writer, encode("both"));
    close(writer);
    assertEquals(
      await Promise.all([text(left), text(right)]),
      ["both", "both"],
    );
    assert(!isOpen(reader));
  }),
);

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
