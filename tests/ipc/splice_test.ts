import { assertEquals, assertThrows } from "@std/assert";
import {
  close,
  O_APPEND,
  O_CREAT,
  O_RDONLY,
  O_RDWR,
  open,
  pipe,
  read,
  readAll,
  socketpair,
  splice,
  SPLICE_F_MOVE,
  SPLICE_F_NONBLOCK,
  tee,
  write,
  writeAll,
} from "../../ipc/mod.ts";
import { withDirectory, withoutLeaks } from "../_helpers.ts";
import {
  assertRefused,
  assertSameBytes,
  besideChild,
  CLOSED_FD,
  decode,
  pattern,
} from "./_helpers.ts";

function closeAll(...fds: number[]): void {
  for (const fd of fds) close(fd);
}

Deno.test(
  "splice() moves a file through a pipe into another file, however long, from and to offsets",
  withoutLeaks(() =>
    withDirectory((directory) => {
      const data = pattern(300_000);
      const source = open(`${directory}/source`, O_RDWR | O_CREAT);
      const target = open(`${directory}/target`, O_RDWR | O_CREAT);
      writeAll(source, data);
      const [reader, writer] = pipe();
      let from = 1000;
      let to = 5;
      for (;;) {
        const count = splice(source, from, writer, null, 100_000);
        if (count === 0) break;
        from += count;
        for (let left = count; left > 0;) {
          const moved = splice(reader, null, target, to, left, SPLICE_F_MOVE);
          left -= moved;
          to += moved;
        }
      }
      const copy = readAll(target); // its position is still at the start
      assertSameBytes(copy.subarray(5), data.subarray(1000));
      closeAll(source, target, reader, writer);
    })
  ),
);

Deno.test(
  "splice() reads a file at its position, and moves that",
  withoutLeaks(() => {
    const [reader, writer] = pipe();
    const file = open("/proc/self/exe", O_RDONLY);
    assertEquals(splice(file, null, writer, null, 4), 4);
    assertEquals(decode(read(reader, 64)), "\x7fELF");
    assertEquals(read(file, 1)[0], 2); // the fifth byte: 64 bits
    closeAll(file, reader, writer);
  }),
);

Deno.test(
  "splice() moves between pipes and sockets, gives 0 at the end, and fails with EPIPE where nobody reads",
  withoutLeaks(() => {
    const [left, right] = socketpair();
    const [reader, writer] = pipe();
    write(left, "over the socket");
    assertEquals(splice(right, null, writer, null, 4), 4);
    assertEquals(splice(reader, null, right, null, 64), 4);
    assertEquals(decode(read(left, 64)), "over");
    write(writer, "x");
    close(left);
    assertRefused(
      () => splice(reader, null, right, null, 64),
      "EPIPE",
      "splice",
    );
    close(writer);
    const [next, toNext] = pipe();
    while (splice(reader, null, toNext, null, 64) > 0);
    closeAll(reader, right, next, toNext);
  }),
);

Deno.test(
  "splice() waits for the pipe, or fails with EAGAIN if it must not",
  withoutLeaks(async () => {
    const [reader, writer] = pipe();
    const [next, toNext] = pipe();
    assertRefused(
      () => splice(reader, null, toNext, null, 64, SPLICE_F_NONBLOCK),
      "EAGAIN",
      "splice",
    );
    assertRefused(
      () => tee(reader, toNext, 64, SPLICE_F_NONBLOCK),
      "EAGAIN",
      "tee",
    );
    const raw = await besideChild(() => {
      assertEquals(splice(reader, null, toNext, null, 64), 4);
    }, () => void write(writer, "late"));
    assertEquals(raw, 0);
    assertEquals(decode(read(next, 64)), "late");
    closeAll(reader, writer, next, toNext);
  }),
);

Deno.test(
  "tee() duplicates what waits in a pipe, and leaves it there",
  withoutLeaks(() => {
    const [reader, writer] = pipe();
    const [copy, toCopy] = pipe();
    write(writer, "twice");
    assertEquals(tee(reader, toCopy, 3), 3);
    assertEquals(decode(read(copy, 64)), "twi");
    assertEquals(tee(reader, toCopy, 64), 5);
    assertEquals(decode(read(reader, 64)), "twice");
    close(writer);
    assertEquals(tee(reader, toCopy, 64), 0);
    close(copy);
    closeAll(reader, toCopy);
  }),
);

Deno.test(
  "splice() and tee() refuse what cannot be moved",
  withoutLeaks(() =>
    withDirectory((directory) => {
      const [reader, writer] = pipe();
      const file = open(`${directory}/file`, O_RDWR | O_CREAT);
      const log = open(`${directory}/log`, O_RDWR | O_CREAT | O_APPEND);
      const refused = (...args: Parameters<typeof splice>) =>
        assertThrows(() => splice(...args), Error, "splice failed with").message
          .match(/with (\w+)/)![1];
      write(writer, "x");
      assertEquals(refused(file, null, log, null, 1), "EINVAL");
      assertEquals(refused(reader, null, log, null, 1), "EINVAL");
      assertEquals(refused(reader, null, writer, null, 1), "EINVAL");
      assertEquals(refused(reader, 0, file, null, 1), "ESPIPE");
      assertEquals(refused(file, null, writer, 0, 1), "ESPIPE");
      assertEquals(refused(CLOSED_FD, null, writer, null, 1), "EBADF");
      assertEquals(refused(writer, null, file, null, 1), "EBADF");
      assertRefused(() => tee(file, writer, 1), "EINVAL", "tee");
      assertRefused(() => tee(reader, writer, 1), "EINVAL", "tee");
      assertRefused(() => tee(CLOSED_FD, writer, 1), "EBADF", "tee");
      closeAll(reader, writer, file, log);
    })
  ),
);

Deno.test("splice() and tee() check their arguments before any effect", () => {
  assertThrows(() => splice(-1, null, 1, null, 1), RangeError, "'fdIn'");
  assertThrows(() => splice(0, -1, 1, null, 1), RangeError, "'offsetIn'");
  assertThrows(() => splice(0, null, -1, null, 1), RangeError, "'fdOut'");
  assertThrows(() => splice(0, null, 1, 0.5, 1), RangeError, "'offsetOut'");
  assertThrows(() => splice(0, null, 1, null, -1), RangeError, "'count'");
  assertThrows(() => splice(0, null, 1, null, 1, -1), RangeError, "'flags'");
  // @ts-expect-error: an offset is a number or null
  assertThrows(() => splice(0, undefined, 1, null, 1), TypeError, "'offsetIn'");
  assertThrows(() => tee(-1, 1, 1), RangeError, "'fdIn'");
  assertThrows(() => tee(0, -1, 1), RangeError, "'fdOut'");
  assertThrows(() => tee(0, 1, NaN), RangeError, "'count'");
});
