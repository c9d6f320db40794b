import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  close,
  O_CLOEXEC,
  O_NONBLOCK,
  read,
  SOCK_DGRAM,
  SOCK_NONBLOCK,
  SOCK_SEQPACKET,
  SOCK_STREAM,
  socketpair,
  write,
} from "../../ipc/mod.ts";
import { forkWith, reap, withoutLeaks } from "../_helpers.ts";
import {
  assertRefused,
  decode,
  flagsOf,
  leaveDescriptors,
  lowestFree,
} from "./_helpers.ts";

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
