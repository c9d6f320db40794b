import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  close,
  EFD_NONBLOCK,
  EFD_SEMAPHORE,
  eventfd,
  eventfdRead,
  eventfdWrite,
  O_CLOEXEC,
  poll,
  POLLIN,
} from "../../ipc/mod.ts";
import { forkWith, reap, withoutLeaks } from "../_helpers.ts";
import {
  assertRefused,
  besideChild,
  CLOSED_FD,
  flagsOf,
  interrupt,
  letInterrupt,
  SIGUSR1,
} from "./_helpers.ts";

const MAX = 2n ** 64n - 2n;

Deno.test(
  "eventfd() holds 64 bits, which eventfdRead() takes all at once",
  withoutLeaks(() => {
    const fd = eventfd(0xffff_ffff, EFD_NONBLOCK);
    assert((flagsOf(fd) & O_CLOEXEC) !== 0);
    eventfdWrite(fd, 0);
    eventfdWrite(fd, Number.MAX_SAFE_INTEGER);
    eventfdWrite(fd, 1n);
    assertEquals(eventfdRead(fd), 0xffff_ffffn + 2n ** 53n);
    assertRefused(() => eventfdRead(fd), "EAGAIN", "read");
    eventfdWrite(fd, MAX);
    assertRefused(() => eventfdWrite(fd, 1), "EAGAIN", "write");
    assertEquals(eventfdRead(fd), MAX);
    close(fd);
  }),
);

Deno.test(
  "eventfd() with EFD_SEMAPHORE is taken one by one, and poll() tells whether there is one",
  withoutLeaks(() => {
    const fd = eventfd(2, EFD_SEMAPHORE | EFD_NONBLOCK);
    const request = [{ fd, events: POLLIN }];
    for (let i = 0; i < 2; i++) {
      assertEquals(poll(request, 0), [{ fd, revents: POLLIN }]);
      assertEquals(eventfdRead(fd), 1n);
    }
    assertEquals(poll(request, 0), []);
    assertRefused(() => eventfdRead(fd), "EAGAIN", "read");
    close(fd);
  }),
);

Deno.test(
  "eventfdRead() blocks until another process writes, and survives signals",
  withoutLeaks(async () => {
    const fd = eventfd();
    const raw = await besideChild(() => {
      letInterrupt(SIGUSR1);
      assertEquals(eventfdRead(fd), 5n);
    }, async (pid) => {
      await interrupt(pid, "read", fd);
      eventfdWrite(fd, 5);
    });
    assertEquals(raw, 0);
    close(fd);
  }),
);

Deno.test(
  "eventfd() is shared with forked children",
  withoutLeaks(() => {
    const fd = eventfd(1);
    assertEquals(reap(forkWith(() => eventfdWrite(fd, 41))), 0);
    assertEquals(eventfdRead(fd), 42n);
    close(fd);
  }),
);

Deno.test("eventfd() and its two calls refuse what the system or C would not take", () => {
  assertRefused(() => eventfd(0, 2), "EINVAL", "eventfd");
  assertRefused(() => eventfdRead(CLOSED_FD), "EBADF", "read");
  assertRefused(() => eventfdWrite(CLOSED_FD, 1), "EBADF", "write");
  for (const initial of [-1, 2 ** 32, 0.5, NaN]) {
    assertThrows(() => eventfd(initial), RangeError, "'initial'");
  }
  for (const value of [-1, -1n, MAX + 1n, 2 ** 53, 0.5, NaN, Infinity]) {
    assertThrows(() => eventfdWrite(0, value), RangeError, "'value'");
  }
  // @ts-expect-error: no number
  assertThrows(() => eventfdWrite(0, "1"), TypeError, "'value'");
  assertThrows(() => eventfdRead(-1), RangeError, "'fd'");
});
