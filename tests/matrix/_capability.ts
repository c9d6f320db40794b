import type { Child } from "./_child.ts";

/**
 * One thing that a forked child must be able to do.
 *
 * The child does it in the runtime that the fork left it, and sends what came of it over a pipe; the parent compares.
 */
export interface Capability {
  /** What the child does; what this gives, by its promise or at once, is sent to the parent as JSON. */
  child(): unknown;
  /** What the child must have sent; nothing is sent by one that ends itself. */
  gives?: unknown;
  /** How the child must end: `exit 0` unless said otherwise, else another code or the name of a signal. */
  ends?: string;
  /** What the child must have printed, be it on standard output or on standard error. */
  prints?: readonly string[];
  /** What the parent does once the child is there. */
  parent?(child: Child): void | Promise<void>;
  /** What the parent does before the fork; such a child is made while no other one is there. */
  before?(): void | Promise<void>;
  /** What the parent does when the child has ended; it throws if the fork has harmed the parent. */
  after?(): void | Promise<void>;
  /** The first version of Deno that has it. */
  since?: string;
}

/** Capabilities by name. */
export type Capabilities = Readonly<Record<string, Capability>>;

/** Resolves after that many milliseconds. */
export function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

/** The promise's value, or an error if there is none in time. */
export async function within<T>(
  milliseconds: number,
  what: string,
  promise: Promise<T>,
): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new Error(`${what}: not within ${milliseconds} ms`)),
      milliseconds,
    );
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Polls until the condition holds, for at most the given time. */
export async function until(
  condition: () => boolean,
  what: string,
  milliseconds = 5000,
): Promise<void> {
  const deadline = performance.now() + milliseconds;
  while (!condition()) {
    if (performance.now() > deadline) {
      throw new Error(`${what}: not within ${milliseconds} ms`);
    }
    await sleep(2);
  }
}
