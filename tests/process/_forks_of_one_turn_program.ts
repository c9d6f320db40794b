/**
 * Forks four times before the event loop has its turn, and each time begins a call that never comes back. None of them is a
 * child's to wait for: each ends by having no more to do.
 */
import { SYS_futex } from "../../ffi/constants.ts";
import { futexWaitOnPool } from "../../ffi/_symbols.ts";
import { fork } from "../../process/mod.ts";
import { waitpid } from "../../wait/mod.ts";

const FUTEX_WAIT = 0;
const word = new Int32Array(new ArrayBuffer(4));

let isParent = true;
for (let i = 0; i < 4 && isParent; i++) {
  const child = fork();
  isParent = child !== 0;
  if (!isParent) break;
  const { status } = waitpid(child)!;
  console.log(`${status.kind} ${status.kind === "exited" && status.code}`);
  void futexWaitOnPool(BigInt(SYS_futex), word, FUTEX_WAIT, 0, 0n);
}
if (isParent) Deno.exit();
