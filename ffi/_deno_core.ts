import { ERRNO } from "./errno.ts";
import { PosixError } from "./posix_error.ts";

/** The two internal functions of Deno that the library needs: nothing public says which pending calls keep a process alive. */
interface DenoCore {
  refOpPromise(promise: Promise<unknown>): void;
  unrefOpPromise(promise: Promise<unknown>): void;
}

let core: DenoCore | undefined;

/** Has a pending nonblocking call keep neither this process nor a forked child alive. */
export function unrefOp(promise: Promise<unknown>): void {
  core ??= findCore();
  core.unrefOpPromise(promise);
}

/** Has it keep the process alive after all. */
export function refOp(promise: Promise<unknown>): void {
  core ??= findCore();
  core.refOpPromise(promise);
}

function findCore(): DenoCore {
  const deno = Deno as unknown as Record<symbol, { core?: DenoCore }>;
  const { internal } = Deno as unknown as { internal: symbol };
  const found = deno[internal]?.core;
  if (typeof found?.unrefOpPromise === "function") return found;
  throw new PosixError("Cannot say which calls keep the process alive", {
    errno: ERRNO.ENOTSUP,
    syscall: "unref",
    detail: "this Deno has no 'unrefOpPromise'",
  });
}
