import { ERRNO } from "../../ffi/errno.ts";
import { PosixError } from "../../ffi/posix_error.ts";

/** The one internal function of Deno that the library needs: nothing public makes a pending call keep nobody waiting. */
interface DenoCore {
  unrefOpPromise(promise: Promise<unknown>): void;
}

let core: DenoCore | undefined;

/** Has a pending nonblocking call keep neither this process nor a forked child alive. */
export function unrefOp(promise: Promise<unknown>): void {
  core ??= findCore();
  core.unrefOpPromise(promise);
}

function findCore(): DenoCore {
  const deno = Deno as unknown as Record<symbol, { core?: DenoCore }>;
  const { internal } = Deno as unknown as { internal: symbol };
  const found = deno[internal]?.core;
  if (typeof found?.unrefOpPromise === "function") return found;
  throw new PosixError("Cannot fork", {
    errno: ERRNO.ENOTSUP,
    syscall: "fork",
    detail: "this Deno has no 'unrefOpPromise'",
  });
}
