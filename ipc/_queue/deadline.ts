import { checkNumber } from "../../ffi/_arguments.ts";

/** When to stop waiting, by `performance.now()`; 0 for at once. */
export function deadlineOf(
  options: { timeout?: number } | undefined,
): number {
  const timeout = options?.timeout;
  if (timeout === undefined || timeout === Infinity) return Infinity;
  if (!(checkNumber(timeout, "options.timeout") >= 0)) {
    throw new RangeError(
      `'options.timeout' must not be negative, nor NaN: current value is ${timeout}`,
    );
  }
  return timeout === 0 ? 0 : performance.now() + timeout;
}

/** Whether it is time to stop. To ask the clock takes a tenth of a microsecond, which is spared where there is no end. */
export function isOver(deadline: number): boolean {
  return deadline === 0 ||
    deadline !== Infinity && performance.now() >= deadline;
}
