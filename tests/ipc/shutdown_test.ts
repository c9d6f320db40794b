import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { PosixError } from "../../ffi/errors.ts";
import {
  close,
  dup,
  pipe,
  read,
  readableStream,
  SHUT_RD,
  SHUT_RDWR,
  SHUT_WR,
  shutdown,
  SOCK_DGRAM,
  socketpair,
  writableStream,
  write,
} from "../../ipc/mod.ts";
import { withoutLeaks } from "../_helpers.ts";
import {
  assertRefused,
  assertSameBytes,
  CLOSED_FD,
  decode,
  encode,
  pattern,
} from "./_helpers.ts";

Deno.test(
  "shutdown() with SHUT_WR has the peer read the end, though duplicates are open, and leaves the other direction",
  withoutLeaks(() => {
    const [left, right] = socketpair();
    const second = dup(left);
    write(left, "question");
    shutdown(left, SHUT_WR);
    assertEquals(decode(read(right, 64)), "question");
    assertEquals(read(right, 64).length, 0);
    assertRefused(() => write(second, "more"), "EPIPE", "write");
    write(right, "answer");
    assertEquals(decode(read(second, 64)), "answer");
    for (const fd of [left, right, second]) close(fd);
  }),
);

Deno.test(
  "shutdown() with SHUT_RD and SHUT_RDWR has the peer write in vain",
  withoutLeaks(() => {
    for (const how of [SHUT_RD, SHUT_RDWR]) {
      const [left, right] = socketpair();
      shutdown(left, how);
      assertEquals(read(left, 64).length, 0);
      assertRefused(() => write(right, "x"), "EPIPE", "write");
      close(left);
      close(right);
    }
  }),
);

Deno.test(
  "shutdown() refuses what is no socket, not open, or no direction",
  withoutLeaks(() => {
    const [reader, writer] = pipe();
    assertRefused(() => shutdown(reader, SHUT_RD), "ENOTSOCK", "shutdown");
    assertRefused(() => shutdown(CLOSED_FD, SHUT_RD), "EBADF", "shutdown");
    close(reader);
    close(writer);
    const [left, right] = socketpair(SOCK_DGRAM);
    assertRefused(() => shutdown(left, 3), "EINVAL", "shutdown");
    close(left);
    close(right);
    assertThrows(() => shutdown(-1, SHUT_RD), RangeError, "'fd'");
    assertThrows(() => shutdown(0, 0.5), RangeError, "'how'");
  }),
);

Deno.test(
  "streams over both ends of a socket pair talk both ways at once, and one direction ends before the other",
  withoutLeaks(async () => {
    const [client, server] = socketpair();
    // The server answers each byte it gets with its complement, and ends when its client has ended.
    const serving = readableStream(dup(server)).pipeThrough(
      new TransformStream<Uint8Array<ArrayBuffer>, Uint8Array>({
        transform: (chunk, controller) =>
          controller.enqueue(chunk.map((byte) => ~byte)),
      }),
    ).pipeTo(writableStream(server));
    const data = pattern(1_000_000);
    const writer = writableStream(dup(client)).getWriter();
    const writing = (async () => {
      for (let at = 0; at < data.length; at += 50_000) {
        await writer.write(data.subarray(at, at + 50_000));
      }
      await writer.close();
      // Closing a duplicate alone tells the server nothing.
      shutdown(client, SHUT_WR);
    })();
    const answer = await new Response(readableStream(client)).bytes();
    await Promise.all([serving, writing]);
    assertSameBytes(answer, data.map((byte) => ~byte));
  }),
);

Deno.test(
  "writableStream() over a socket fails with EPIPE when the peer has gone, while readableStream() gives what it had sent",
  withoutLeaks(async () => {
    const [left, right] = socketpair();
    write(right, "last words");
    close(right);
    const reader = readableStream(dup(left));
    const writer = writableStream(left).getWriter();
    const error = await assertRejects(
      () => writer.write(encode("anybody?")),
      PosixError,
    );
    assertEquals(error.code, "EPIPE");
    await writer.closed.catch(() => {});
    assertEquals(await new Response(reader).text(), "last words");
  }),
);

Deno.test(
  "readableStream() over a socket ends when the peer shuts down its side, and reports a peer that left our bytes unread",
  withoutLeaks(async () => {
    const [left, right] = socketpair();
    const waiting = new Response(readableStream(dup(left))).text();
    write(right, "half");
    shutdown(right, SHUT_WR);
    assertEquals(await waiting, "half");
    write(left, "never read");
    close(right);
    const reader = readableStream(left).getReader();
    const error = await assertRejects(() => reader.read(), PosixError);
    assertEquals(error.code, "ECONNRESET");
  }),
);
