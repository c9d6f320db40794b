import { MADV_DOFORK } from "../ffi/constants.ts";
import { checkValue } from "../ffi/_results.ts";
import { forkSymbols } from "../ffi/_symbols.ts";

/** `fork()`: makes a child that is a copy of the process. */
export function fork(): number {
  const libc = forkSymbols();
  libc.madvise(4096n, 0x7fff_ffff_e000n, MADV_DOFORK);
  return checkValue(libc.fork(), "fork", () => "Cannot fork");
}
