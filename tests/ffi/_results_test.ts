import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import {
  checkErrorNumber,
  checkValue,
  checkZero,
  errorFor,
  lastError,
  readErrno,
  retryInterrupted,
} from "../../ffi/_libc.ts";
import { ERRNO, PosixError } from "../../ffi/errors.ts";
import { setErrno } from "./_c.ts";

const MESSAGE = "Cannot jump: jump failed with EACCES (Permission denied)";

/** What a call does that fails: sets errno and gives -1. */
function failWith(errno: number): number {
  setErrno(errno);
  return -1;
}

/** Fails the test if it is asked for. */
function unasked(): string {
  throw new Error("put into words without need");
}

Deno.test("readErrno() reads the number that the last call left, time after time", () => {
  for (let errno = 1; errno < 2000; errno++) {
    setErrno(errno);
    assertEquals(readErrno(), errno);
  }
});

Deno.test("lastError() and errorFor() make the error with what is known of it", () => {
  setErrno(ERRNO.EACCES);
  const last = lastError("jump", () => "Cannot jump");
  const given = errorFor(ERRNO.EACCES, "jump", () => "Cannot jump", "/tmp");
  assertEquals([last.message, given.message], [MESSAGE, MESSAGE]);
  assertEquals([last.errno, last.syscall, last.path], [13, "jump", undefined]);
  assertEquals(given.path, "/tmp");
});

Deno.test("checkZero() takes -1 for a failure and nothing else", () => {
  for (const result of [0, 1, -2]) checkZero(result, "jump", unasked);
  assertThrows(
    () => checkZero(failWith(ERRNO.EACCES), "jump", () => "Cannot jump"),
    PosixError,
    MESSAGE,
  );
});

Deno.test("checkValue() gives back the value, or throws for -1", () => {
  for (const result of [0, 7, 2 ** 31 - 1]) {
    assertEquals(checkValue(result, "jump", unasked), result);
  }
  assertThrows(
    () => checkValue(failWith(ERRNO.EACCES), "jump", () => "Cannot jump"),
    PosixError,
    MESSAGE,
  );
});

Deno.test("checkErrorNumber() takes the result itself for the error, whatever errno says", () => {
  setErrno(ERRNO.EPERM);
  checkErrorNumber(0, "jump", unasked);
  assertThrows(
    () => checkErrorNumber(ERRNO.EACCES, "jump", () => "Cannot jump"),
    PosixError,
    MESSAGE,
  );
});

Deno.test("retryInterrupted() makes the call again after EINTR, and after EINTR alone", () => {
  let calls = 0;
  const value = retryInterrupted(
    () => ++calls < 5 ? failWith(ERRNO.EINTR) : 42,
    "jump",
    unasked,
  );
  assertEquals([value, calls], [42, 5]);
  calls = 0;
  assertThrows(
    () =>
      retryInterrupted(
        () => failWith(++calls === 1 ? ERRNO.EINTR : ERRNO.EACCES),
        "jump",
        () => "Cannot jump",
      ),
    PosixError,
    MESSAGE,
  );
  assertEquals(calls, 2);
});

Deno.test("retryInterrupted() lets through what the call throws", () => {
  const error = new Error("not from C");
  const thrown = assertThrows(() =>
    retryInterrupted(
      () => {
        throw error;
      },
      "jump",
      unasked,
    )
  );
  assertStrictEquals(thrown, error);
});
