import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { PosixError } from "../../ffi/errors.ts";
import {
  close,
  dup,
  flock,
  flockAsync,
  LOCK_EX,
  LOCK_NB,
  LOCK_SH,
  LOCK_UN,
  O_CREAT,
  O_PATH,
  O_RDWR,
  open,
} from "../../ipc/mod.ts";
import { kill } from "../../process/kill.ts";
import {
  forkWith,
  readText,
  reap,
  until,
  withDirectory,
  withoutLeaks,
} from "../_helpers.ts";
import {
  assertRefused,
  besideChild,
  CLOSED_FD,
  letInterrupt,
  SIGUSR1,
} from "./_helpers.ts";

/** Runs the body with descriptors that were each opened for themselves, on one file. */
function withFile(
  body: (first: number, second: number) => void | Promise<void>,
): () => Promise<void> {
  return withoutLeaks(() =>
    withDirectory(async (directory) => {
      const path = `${directory}/lock`;
      const [first, second] = [
        open(path, O_RDWR | O_CREAT),
        open(path, O_RDWR | O_CREAT),
      ];
      await body(first, second);
      close(first);
      close(second);
    })
  );
}

const assertHeld = (fd: number, operation: number) =>
  assertRefused(() => flock(fd, operation | LOCK_NB), "EAGAIN", "flock");

Deno.test(
  "flock() keeps out others who lock, as the two kinds of locks go together",
  withFile((first, second) => {
    flock(first, LOCK_EX);
    assertHeld(second, LOCK_EX);
    assertHeld(second, LOCK_SH);
    flock(first, LOCK_SH);
    flock(second, LOCK_SH | LOCK_NB);
    assertHeld(first, LOCK_EX);
    flock(second, LOCK_UN);
    flock(first, LOCK_EX | LOCK_NB);
    flock(first, LOCK_UN);
    flock(second, LOCK_EX | LOCK_NB);
  }),
);

Deno.test(
  "flock() locks for duplicates and forked children as well, until one lets go or all are closed",
  withFile((first, second) => {
    flock(first, LOCK_EX);
    const copy = dup(first);
    flock(copy, LOCK_EX | LOCK_NB);
    assertEquals(reap(forkWith(() => flock(first, LOCK_EX | LOCK_NB))), 0);
    assertHeld(second, LOCK_EX);
    close(copy);
    assertHeld(second, LOCK_EX);
    assertEquals(reap(forkWith(() => flock(first, LOCK_UN))), 0);
    flock(second, LOCK_EX | LOCK_NB);
  }),
);

Deno.test(
  "flock() waits until the holder has died, and survives signals",
  withFile(async (first, second) => {
    flock(first, LOCK_EX);
    const raw = await besideChild(() => {
      letInterrupt(SIGUSR1);
      close(first);
      flock(second, LOCK_EX);
    }, async (pid) => {
      const asleep = () =>
        /lock/.test(readText(`/proc/${pid}/wchan`)) ||
        readText("/proc/locks").includes(`-> FLOCK  ADVISORY  WRITE ${pid}`);
      await until(asleep);
      for (let i = 0; i < 3; i++) kill(pid, SIGUSR1);
      await until(asleep);
      flock(first, LOCK_UN);
    });
    assertEquals(raw, 0);
  }),
);

Deno.test(
  "flockAsync() locks as soon as it can, without blocking the event loop",
  withFile(async (first, second) => {
    await flockAsync(first, LOCK_EX);
    let locked = false;
    const waiting = flockAsync(second, LOCK_EX).then(() => locked = true);
    await new Promise((resolve) => setTimeout(resolve, 10));
    assertEquals(locked, false);
    flock(first, LOCK_UN);
    await waiting;
    assertHeld(first, LOCK_SH);
    const error = await assertRejects(
      () => flockAsync(first, LOCK_SH | LOCK_NB),
      PosixError,
    );
    assertEquals(error.code, "EAGAIN");
    await flockAsync(second, LOCK_UN);
    flock(first, LOCK_EX | LOCK_NB);
  }),
);

Deno.test(
  "flockAsync() gives up when its signal is aborted, before or during the wait, and does not lock later",
  withFile(async (first, second) => {
    flock(first, LOCK_EX);
    const controller = new AbortController();
    const waiting = flockAsync(second, LOCK_EX, { signal: controller.signal });
    controller.abort(new Error("enough"));
    await assertRejects(() => waiting, Error, "enough");
    await assertRejects(
      () => flockAsync(second, LOCK_EX, { signal: controller.signal }),
      Error,
      "enough",
    );
    flock(first, LOCK_UN);
    flock(first, LOCK_EX | LOCK_NB);
  }),
);

Deno.test("flock() and flockAsync() refuse what is no lock and no open file", async () => {
  const path = open("/proc/self", O_PATH);
  assertRefused(() => flock(path, LOCK_SH), "EBADF", "flock");
  close(path);
  assertRefused(() => flock(CLOSED_FD, LOCK_SH), "EBADF", "flock");
  assertRefused(() => flock(0, 16), "EINVAL", "flock");
  assertThrows(() => flock(-1, LOCK_SH), RangeError, "'fd'");
  assertThrows(() => flock(0, 0.5), RangeError, "'operation'");
  await assertRejects(() => flockAsync(-1, LOCK_SH), RangeError, "'fd'");
  await assertRejects(() => flockAsync(0, 0.5), RangeError, "'operation'");
  await assertRejects(
    // @ts-expect-error: no signal
    () => flockAsync(0, LOCK_SH, { signal: {} }),
    TypeError,
    "'signal'",
  );
});
