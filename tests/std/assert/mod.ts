/**
 * The part of `@std/assert` that the tests and examples use, over `node:assert/strict`, for machines that cannot reach
 * JSR. Same names, same signatures.
 *
 * @module
 */

import strict from "node:assert/strict";

export { AssertionError } from "node:assert/strict";

/** Asserts that the expression is truthy. */
export function assert(expression: unknown, message = ""): asserts expression {
  strict.ok(expression, message || "expected a truthy value");
}

/** Asserts deep equality. */
export function assertEquals<T>(
  actual: T,
  expected: T,
  message?: string,
): void {
  strict.deepStrictEqual(actual, expected, message);
}

/** Asserts deep inequality. */
export function assertNotEquals<T>(
  actual: T,
  expected: T,
  message?: string,
): void {
  strict.notDeepStrictEqual(actual, expected, message);
}

/** Asserts identity. */
export function assertStrictEquals<T>(
  actual: unknown,
  expected: T,
  message?: string,
): asserts actual is T {
  strict.strictEqual(actual, expected, message);
}

/** Asserts that `actual` contains `expected`. */
export function assertStringIncludes(
  actual: string,
  expected: string,
  message?: string,
): void {
  strict.ok(
    actual.includes(expected),
    message ??
      `expected ${JSON.stringify(actual)} to include ${
        JSON.stringify(expected)
      }`,
  );
}

/** Asserts that `actual` matches `expected`. */
export function assertMatch(
  actual: string,
  expected: RegExp,
  message?: string,
): void {
  strict.match(actual, expected, message);
}

/** Asserts `actual > expected`. */
export function assertGreater<T>(
  actual: T,
  expected: T,
  message?: string,
): void {
  strict.ok(actual > expected, message ?? `expected ${actual} > ${expected}`);
}

/** Asserts `actual >= expected`. */
export function assertGreaterOrEqual<T>(
  actual: T,
  expected: T,
  message?: string,
): void {
  strict.ok(actual >= expected, message ?? `expected ${actual} >= ${expected}`);
}

/** Asserts `actual < expected`. */
export function assertLess<T>(actual: T, expected: T, message?: string): void {
  strict.ok(actual < expected, message ?? `expected ${actual} < ${expected}`);
}

/** Asserts that `error` is an instance of the class and that its message contains the text. */
export function assertIsError<E extends Error = Error>(
  error: unknown,
  // deno-lint-ignore no-explicit-any
  ErrorClass?: abstract new (...args: any[]) => E,
  messageIncludes?: string,
  message?: string,
): asserts error is E {
  strict.ok(
    error instanceof (ErrorClass ?? Error),
    message ??
      `expected ${ErrorClass?.name ?? "Error"}, got ${Deno.inspect(error)}`,
  );
  if (messageIncludes !== undefined) {
    assertStringIncludes(error.message, messageIncludes, message);
  }
}

/** Asserts that the function throws, and returns what it threw. */
export function assertThrows<E extends Error = Error>(
  fn: () => unknown,
  // deno-lint-ignore no-explicit-any
  ErrorClass?: abstract new (...args: any[]) => E,
  messageIncludes?: string,
  message?: string,
): E {
  try {
    fn();
  } catch (error) {
    assertIsError(error, ErrorClass, messageIncludes, message);
    return error;
  }
  throw new strict.AssertionError({
    message: message ?? "expected function to throw",
  });
}

/** Asserts that the promise rejects, and resolves to what it rejected with. */
export async function assertRejects<E extends Error = Error>(
  fn: () => PromiseLike<unknown>,
  // deno-lint-ignore no-explicit-any
  ErrorClass?: abstract new (...args: any[]) => E,
  messageIncludes?: string,
  message?: string,
): Promise<E> {
  try {
    await fn();
  } catch (error) {
    assertIsError(error, ErrorClass, messageIncludes, message);
    return error;
  }
  throw new strict.AssertionError({
    message: message ?? "expected function to reject",
  });
}

/** Fails. */
export function fail(message = "failed"): never {
  throw new strict.AssertionError({ message });
}

/** Fails unless the value is an instance of the class. */
export function assertInstanceOf<T>(
  actual: unknown,
  // deno-lint-ignore no-explicit-any
  expectedType: abstract new (...args: any[]) => T,
  msg = "",
): asserts actual is T {
  if (actual instanceof expectedType) return;
  throw new strict.AssertionError({
    message: `Expected object to be an instance of ${expectedType.name}. ${msg}`
      .trimEnd(),
  });
}
