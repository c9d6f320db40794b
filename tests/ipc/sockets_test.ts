import { PosixError } from "../../ffi/errors.ts";
import {
  close,
  dup,
  O_CLOEXEC,
  O_NONBLOCK,
  O_RDONLY,
  open,
  pipe,
  read,
  readableStream,
  readAll,
  recvFds,
  sendFds,
  setNonblock,
  SHUT_RD,
  SHUT_RDWR,
  SHUT_WR,
  shutdown,
  SOCK_DGRAM,
  SOCK_NONBLOCK,
  SOCK_SEQPACKET,
  SOCK_STREAM,
  socketpair,
  writableStream,
  write,
  writeAll,
} from "../../ipc/mod.ts";
import { kill } from "../../process/kill.ts";
import {
  assertOpenDescriptors,
  forkWith,
  openDescriptors,
  readText,
  reap,
  until,
  withoutLeaks,
} from "../_helpers.ts";
import {
  assertRefused,
  assertSameBytes,
  besideChild,
  CLOSED_FD,
  decode,
  encode,
  flagsOf,
  leaveDescriptors,
  letInterrupt,
  lowestFree,
  pattern,
  SIGUSR1,
} from "./_helpers.ts";
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";

Deno.test(
  "socketpair() gives the two lowest numbers, connected both ways, close-on-exec",
  withoutLeaks(() => {
    const expected = lowestFree(2);
    const pair = socketpair();
    assertEquals(pair, expected as [number, number]);
    for (const [from, to] of [pair, pair.toReversed()] as [number, number][]) {
      write(from, "你好");
      assertEquals(decode(read(to, 64)), "你好");
      assert((flagsOf(from) & O_CLOEXEC) !== 0);
      assertEquals(flagsOf(from) & O_NONBLOCK, 0);
    }
    close(pair[0]);
    assertEquals(read(pair[1], 64).length, 0);
    close(pair[1]);
  }),
);

Deno.test(
  "socketpair() keeps messages apart where they are datagrams or packets, and joins them in a stream",
  withoutLeaks(() => {
    for (
      const [type, expected] of [
        [SOCK_STREAM, "onetwo"],
        [SOCK_DGRAM, "one"],
        [SOCK_SEQPACKET, "one"],
      ] as const
    ) {
      const [left, right] = socketpair(type);
      write(left, "one");
      write(left, "two");
      assertEquals(decode(read(right, 64)), expected);
      close(left);
      close(right);
    }
  }),
);

Deno.test(
  "socketpair() makes sockets that do not wait if asked to",
  withoutLeaks(() => {
    const [left, right] = socketpair(SOCK_STREAM | SOCK_NONBLOCK);
    for (const fd of [left, right]) {
      assertRefused(() => read(fd, 1), "EAGAIN", "read");
    }
    close(left);
    close(right);
  }),
);

Deno.test(
  "socketpair() leaves nothing open when it fails",
  withoutLeaks(() => {
    assertRefused(() => socketpair(0), "ESOCKTNOSUPPORT", "socketpair");
    assertRefused(() => socketpair(1 | 0o20000000), "EINVAL", "socketpair");
    const raw = reap(forkWith(() => {
      leaveDescriptors(1);
      assertRefused(() => socketpair(), "EMFILE", "socketpair");
    }));
    assertEquals(raw, 0);
    for (const type of [-1, 0.5, NaN, 2 ** 31]) {
      assertThrows(() => socketpair(type), RangeError, "'type'");
    }
    // @ts-expect-error: no number
    assertThrows(() => socketpair("stream"), TypeError, "'type'");
  }),
);

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

const TYPES = [SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET];

function closeAll(...fds: number[]): void {
  for (const fd of fds) close(fd);
}

Deno.test(
  "sendFds() and recvFds() carry a descriptor with data, under a new number and close-on-exec, by every type of socket",
  withoutLeaks(() => {
    for (const type of TYPES) {
      const [left, right] = socketpair(type);
      const [reader, writer] = pipe();
      assertEquals(sendFds(left, [reader], "数据"), 6);
      close(reader);
      const { fds, data } = recvFds(right, 1);
      assertEquals(decode(data), "数据");
      assertEquals(fds.length, 1);
      assert((flagsOf(fds[0]!) & O_CLOEXEC) !== 0);
      write(writer, "through it");
      assertEquals(decode(read(fds[0]!, 64)), "through it");
      closeAll(...fds, writer, left, right);
    }
  }),
);

Deno.test(
  "sendFds() sends one NUL where no data are given",
  withoutLeaks(() => {
    const [left, right] = socketpair();
    assertEquals(sendFds(left, [left]), 1);
    const { fds, data } = recvFds(right, 253);
    assertEquals([fds.length, [...data]], [1, [0]]);
    closeAll(...fds, left, right);
  }),
);

Deno.test(
  "recvFds() gives 253 descriptors in the order in which they were sent",
  withoutLeaks(() => {
    const [left, right] = socketpair();
    const pipes = [pipe(), pipe(), pipe()];
    const sent = Array.from({ length: 253 }, (_, i) => pipes[i % 3]![0]);
    const inodes = sent.map((fd) => link(fd));
    sendFds(left, sent);
    const { fds } = recvFds(right, 253);
    assertEquals(fds.map((fd) => link(fd)), inodes);
    closeAll(...fds, ...pipes.flat(), left, right);
  }),
);

/** What tells one open pipe from another. */
function link(fd: number): string {
  return /^ino:\s*(\d+)/m.exec(readText(`/proc/self/fdinfo/${fd}`))![1]!;
}

Deno.test(
  "sendFds() passes descriptors between a forked child and its parent, which outlive the sender",
  withoutLeaks(() => {
    const [mine, theirs] = socketpair(SOCK_SEQPACKET);
    const child = forkWith(() => {
      const [reader, writer] = pipe();
      writeAll(writer, "the child's pipe");
      sendFds(theirs, [reader], "take it");
    });
    assertEquals(reap(child), 0);
    const { fds: [reader], data } = recvFds(mine, 1);
    assertEquals(decode(data), "take it");
    assertEquals(decode(readAll(reader!)), "the child's pipe");
    closeAll(reader!, mine, theirs);
  }),
);

Deno.test(
  "recvFds() gives data without descriptors, and nothing at all when the peer has closed",
  withoutLeaks(() => {
    const [left, right] = socketpair();
    write(left, "plain");
    assertEquals(recvFds(right, 0).fds, []);
    sendFds(left, [left], "last");
    close(left);
    const { fds, data } = recvFds(right, 1);
    assertEquals([fds.length, decode(data)], [1, "last"]);
    closeAll(...fds);
    assertEquals(recvFds(right, 1), { fds: [], data: new Uint8Array() });
    close(right);
  }),
);

Deno.test(
  "recvFds() gives the descriptors with the first piece of a long message, and read() has the rest",
  withoutLeaks(() => {
    const [left, right] = socketpair();
    const bytes = pattern(100_000);
    assertEquals(sendFds(left, [left], bytes), bytes.length);
    const first = recvFds(right, 1, { count: 1000 });
    assertSameBytes(first.data, bytes.subarray(0, 1000));
    const second = recvFds(right, 1, { count: 10 });
    assertEquals(second.fds, []);
    let length = 1010;
    while (length < bytes.length) length += read(right, 65_536).length;
    assertEquals(length, bytes.length);
    closeAll(...first.fds, left, right);
  }),
);

Deno.test(
  "recvFds() closes all and fails where more come than are wanted, and goes on with the next message",
  withoutLeaks(() => {
    for (const type of TYPES) {
      const [left, right] = socketpair(type);
      const before = openDescriptors();
      for (const [sent, wanted] of [[3, 2], [2, 1], [1, 0], [253, 252]]) {
        sendFds(left, Array(sent).fill(left), "too many");
        const error = assertRefused(
          () => recvFds(right, wanted!),
          "EMSGSIZE",
          "recvmsg",
        );
        assert(error.message.includes(`${sent} have come where ${wanted} are`));
        assertOpenDescriptors(before);
      }
      write(left, "next");
      assertEquals(decode(recvFds(right, 1).data), "next");
      closeAll(left, right);
    }
  }),
);

Deno.test(
  "recvFds() fails with EMFILE where the process cannot have all that come, and leaves none open",
  withoutLeaks(() => {
    const [left, right] = socketpair();
    sendFds(left, [left, left, left]);
    const raw = reap(forkWith(() => {
      const before = openDescriptors();
      leaveDescriptors(2);
      assertRefused(() => recvFds(right, 3), "EMFILE", "recvmsg");
      // Reading the list takes one descriptor, which there is again.
      assertOpenDescriptors(before);
    }));
    assertEquals(raw, 0);
    closeAll(left, right);
  }),
);

Deno.test(
  "sendFds() and recvFds() never wait on a non-blocking socket",
  withoutLeaks(() => {
    const [left, right] = socketpair(SOCK_STREAM | SOCK_NONBLOCK);
    assertRefused(() => recvFds(right, 1), "EAGAIN", "recvmsg");
    const block = new Uint8Array(65_536);
    assertRefused(
      () => {
        for (let i = 0; i < 1000; i++) write(left, block);
      },
      "EAGAIN",
      "write",
    );
    const error = assertRefused(
      () => sendFds(left, [left]),
      "EAGAIN",
      "sendmsg",
    );
    assert(error.message.startsWith("Cannot send 1 descriptors through"));
    closeAll(left, right);
  }),
);

Deno.test(
  "recvFds() blocks until something comes, and survives signals",
  withoutLeaks(async () => {
    const [left, right] = socketpair();
    const raw = await besideChild(() => {
      letInterrupt(SIGUSR1);
      const { fds, data } = recvFds(right, 1);
      assertEquals([fds.length, decode(data)], [1, "at last"]);
    }, async (pid) => {
      const state = () => readText(`/proc/${pid}/wchan`);
      await until(() => state().includes("unix_stream"));
      for (let i = 0; i < 3; i++) kill(pid, SIGUSR1);
      sendFds(left, [left], "at last");
    });
    assertEquals(raw, 0);
    closeAll(left, right);
  }),
);

Deno.test(
  "sendFds() fails with EPIPE and no signal when the peer has closed",
  withoutLeaks(() => {
    const [left, right] = socketpair();
    close(right);
    assertRefused(() => sendFds(left, [left]), "EPIPE", "sendmsg");
    close(left);
  }),
);

Deno.test(
  "sendFds() and recvFds() refuse descriptors that are no sockets or not open",
  withoutLeaks(() => {
    const [left, right] = socketpair();
    const [reader, writer] = pipe();
    const file = open("/dev/null", O_RDONLY);
    for (const fd of [reader, writer, file]) {
      assertRefused(() => sendFds(fd, [fd]), "ENOTSOCK", "sendmsg");
      assertRefused(() => recvFds(fd, 1), "ENOTSOCK", "recvmsg");
    }
    assertRefused(() => sendFds(CLOSED_FD, [left]), "EBADF", "sendmsg");
    assertRefused(() => recvFds(CLOSED_FD, 1), "EBADF", "recvmsg");
    assertRefused(() => sendFds(left, [left, CLOSED_FD]), "EBADF", "sendmsg");
    setNonblock(right, true);
    assertRefused(() => recvFds(right, 1), "EAGAIN", "recvmsg");
    closeAll(left, right, reader, writer, file);
  }),
);

Deno.test("sendFds() and recvFds() check their arguments before any effect", () => {
  for (const fds of [[], Array(254).fill(0), [-1], [0.5], [2 ** 31]]) {
    assertThrows(() => sendFds(0, fds), RangeError, "'fds");
  }
  for (const fds of [["0"], [undefined], Array(1), null, 3, new Set([1])]) {
    assertThrows(() => sendFds(0, fds as number[]), TypeError, "'fds");
  }
  assertThrows(() => sendFds(0, [0], ""), RangeError, "'data'");
  assertThrows(() => sendFds(0, [0], encode("")), RangeError, "'data'");
  // @ts-expect-error: neither bytes nor text
  assertThrows(() => sendFds(0, [0], 7), TypeError, "'data'");
  assertThrows(() => sendFds(-1, [0]), RangeError, "'socket'");
  assertThrows(() => recvFds(-1, 1), RangeError, "'socket'");
  for (const max of [-1, 254, 0.5, NaN]) {
    assertThrows(() => recvFds(0, max), RangeError, "'maxFds'");
  }
  assertThrows(() => recvFds(0, 1, { count: 0 }), RangeError, "'count'");
});
