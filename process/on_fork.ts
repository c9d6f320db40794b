import { checkFunction } from "../ffi/_arguments.ts";
import { type ForkHooks, forkHooks } from "./_fork/hooks.ts";

export type { ForkHooks };

/**
 * `pthread_atfork(prepare, parent, child)`: has functions run around every fork from now on, those of children included.
 *
 * For libraries with state that must not be used by both sides: `prepare` brings it to rest, `parent` goes on, and `child`
 * forgets or renews it, such as a connection or a cache of `Deno.pid`. They are synchronous.
 *
 * @param hooks The functions. What `prepare` throws is thrown by `fork`, before there is a child; the hooks `parent` that
 * belong to those already prepared are then run.
 * @returns Takes them back when disposed of (`using`), twice without harm.
 * @throws {TypeError} If a hook is no function.
 *
 * @example Renewing state in the child
 * ```ts
 * import { _exit, fork, onFork } from "@posix/process/process";
 * import { waitpid } from "@posix/process/wait";
 * import { assertEquals } from "@std/assert";
 *
 * let cache: string[] = ["the parent's"];
 * using _ = onFork({ child: () => cache = [] });
 * const child = fork();
 * if (child === 0) _exit(cache.length);
 * assertEquals(waitpid(child)?.raw, 0);
 * assertEquals(cache, ["the parent's"]);
 * ```
 *
 * @see {@link https://man7.org/linux/man-pages/man3/pthread_atfork.3.html | pthread_atfork(3)}
 */
export function onFork(hooks: ForkHooks): Disposable {
  for (const [name, hook] of Object.entries(hooks)) {
    if (hook !== undefined) checkFunction(hook, `hooks.${name}`);
  }
  const own = { ...hooks };
  forkHooks.push(own);
  return {
    [Symbol.dispose]() {
      const index = forkHooks.indexOf(own);
      if (index !== -1) forkHooks.splice(index, 1);
    },
  };
}
