import { close, open } from "../../ipc/descriptors.ts";
import {
  EFD_NONBLOCK,
  EFD_SEMAPHORE,
  eventfd,
  eventfdRead,
  eventfdWrite,
  O_CLOEXEC,
  O_RDONLY,
  POLLERR,
  POLLHUP,
  POLLIN,
  POLLNVAL,
  POLLOUT,
  POLLPRI,
  POLLRDHUP,
} from "../../ipc/mod.ts";
import { pipe } from "../../ipc/pipes.ts";
import { poll } from "../../ipc/poll.ts";
import { read, write } from "../../ipc/read_write.ts";
import { forkWith, reap, withoutLeaks } from "../_helpers.ts";
import {
  assertRefused,
  besideChild,
  CLOSED_FD,
  flagsOf,
  interrupt,
  LARGEST_FD,
  leaveDescriptors,
  letInterrupt,
  SIGUSR1,
  sockets,
  untilAsleep,
} from "./_helpers.ts";
import { libc } from "./_libc.ts";
import { assert, assertEquals, assertThrows } from "@std/assert";

const SIGALRM = 14;
const ITIMER_REAL = 0;

/** The milliseconds that a call takes. */
function time(call: () => void): number {
  const start = performance.now();
  call();
  return performance.now() - start;
}

Deno.test(
  "poll() gives the ready ones alone, in the order of the request",
  withoutLeaks(() => {
    const pipes = [pipe(), pipe(), pipe(), pipe()] as const;
    const [[a], [b, b2], [c], [d, d2]] = pipes;
    write(d2, "x");
    write(b2, "x");
    const request = [d, a, b, c, d].map((fd) => ({ fd, events: POLLIN }));
    assertEquals(
      poll(request, 0),
      [d, b, d].map((fd) => ({ fd, revents: POLLIN })),
    );
    assertEquals(request[1], { fd: a, events: POLLIN });
    for (const fd of pipes.flat()) close(fd);
  }),
);

Deno.test(
  "poll() tells reading from writing, and the end from an error",
  withoutLeaks(() => {
    const [reader, writer] = pipe();
    const events = POLLIN | POLLOUT | POLLPRI;
    const both = [{ fd: reader, events }, { fd: writer, events }];
    assertEquals(poll(both, -1), [{ fd: writer, revents: POLLOUT }]);
    write(writer, new Uint8Array(65_536));
    assertEquals(poll(both, -1), [{ fd: reader, revents: POLLIN }]);
    close(writer);
    const one = [{ fd: reader, events: POLLIN }];
    assertEquals(poll(one, -1), [{ fd: reader, revents: POLLIN | POLLHUP }]);
    read(reader, 65_536);
    assertEquals(poll(one, -1), [{ fd: reader, revents: POLLHUP }]);
    close(reader);
    const [gone, left] = pipe();
    close(gone);
    const error = poll([{ fd: left, events: 0 }], -1);
    assertEquals(error, [{ fd: left, revents: POLLERR }]);
    close(left);
  }),
);

Deno.test(
  "poll() reports events beyond the low byte",
  withoutLeaks(() => {
    const [here, there] = sockets(1);
    close(there);
    const [result] = poll([{ fd: here, events: POLLRDHUP }], -1);
    assertEquals(result, { fd: here, revents: POLLRDHUP | POLLHUP });
    close(here);
  }),
);

Deno.test(
  "poll() reports what is not open with POLLNVAL, and files as always ready",
  withoutLeaks(() => {
    const file = open("/proc/self/status", O_RDONLY);
    const fds = [CLOSED_FD, file, LARGEST_FD];
    const ready = poll(fds.map((fd) => ({ fd, events: POLLIN })), -1);
    assertEquals(ready, [
      { fd: CLOSED_FD, revents: POLLNVAL },
      { fd: file, revents: POLLIN },
      { fd: LARGEST_FD, revents: POLLNVAL },
    ]);
    close(file);
  }),
);

Deno.test(
  "poll() gives nothing when the time is up, and not before",
  withoutLeaks(() => {
    const [reader, writer] = pipe();
    const request = [{ fd: reader, events: POLLIN }];
    for (const timeout of [0, -0, 0.001, 1, 20, 20.5]) {
      const took = time(() => assertEquals(poll(request, timeout), []));
      assert(took >= Math.ceil(timeout), `${timeout} ms took ${took}`);
    }
    const took = time(() => assertEquals(poll([], 5), []));
    assert(took >= 5, `5 ms took ${took}`);
    close(reader);
    close(writer);
  }),
);

Deno.test(
  "poll() waits until something is ready, and survives signals, however long it may wait",
  withoutLeaks(async () => {
    const [reader, writer] = pipe();
    for (const timeout of [-1, Infinity, 60_000, 2 ** 31, Number.MAX_VALUE]) {
      const status = await besideChild(() => {
        letInterrupt(SIGUSR1);
        const ready = poll([{ fd: reader, events: POLLIN }], timeout);
        assertEquals(ready, [{ fd: reader, revents: POLLIN }]);
      }, async (pid) => {
        await interrupt(pid, "poll");
        write(writer, "x");
      });
      assertEquals(status, 0);
      read(reader, 1);
    }
    close(reader);
    close(writer);
  }),
);

Deno.test(
  "poll() that signals interrupt waits for the time that is left, no longer",
  withoutLeaks(async () => {
    const status = await besideChild(() => {
      letInterrupt(SIGALRM);
      // Every 10 ms: struct itimerval { it_interval, it_value }, each of seconds and microseconds.
      const timer = BigInt64Array.of(0n, 10_000n, 0n, 10_000n);
      assertEquals(libc.setitimer(ITIMER_REAL, timer, null), 0);
      const took = time(() => assertEquals(poll([], 200), []));
      assertEquals(libc.setitimer(ITIMER_REAL, new BigInt64Array(4), null), 0);
      assert(took >= 200 && took < 5000, `200 ms took ${took}`);
    }, () => {});
    assertEquals(status, 0);
  }),
);

Deno.test(
  "poll() blocks until another process makes a descriptor ready",
  withoutLeaks(async () => {
    const [reader, writer] = pipe();
    const status = await besideChild(() => {
      close(writer);
      const ready = poll([{ fd: reader, events: POLLIN }], -1);
      assertEquals(ready, [{ fd: reader, revents: POLLHUP }]);
    }, async (pid) => {
      await untilAsleep(pid, "poll");
      close(writer);
    });
    assertEquals(status, 0);
    close(reader);
  }),
);

Deno.test(
  "poll() fails with EINVAL for more descriptors than a process may have",
  withoutLeaks(() => {
    const status = reap(forkWith(() => {
      leaveDescriptors(1);
      const request = Array.from(
        { length: 5000 },
        () => ({ fd: 0, events: 0 }),
      );
      assertRefused(() => poll(request, 0), "EINVAL", "poll");
    }));
    assertEquals(status, 0);
  }),
);

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
