import { assertEquals } from "@std/assert";
import { addressOf } from "../../ffi/_arguments.ts";
import { SYS_clone3, SYS_close_range } from "../../ffi/constants.ts";
import { kernel } from "../../exec/_vfork_exec.ts";
import { withoutLeaks } from "../_helpers.ts";
import { libc } from "./_libc.ts";

const KERNELS = {
  "": {},
  ", also on an old kernel": { clearsHandlers: false, closesRanges: false },
};

/** Registers a test for the kernel that there is, and for one without what is new; `body` leaves nothing behind. */
export function testOnKernels(
  name: string,
  body: () => void | Promise<void>,
): void {
  for (const [note, abilities] of Object.entries(KERNELS)) {
    Deno.test(
      name + note,
      withoutLeaks(async () => {
        const before = { ...kernel };
        Object.assign(kernel, abilities);
        try {
          await body();
        } finally {
          Object.assign(kernel, before);
        }
      }),
    );
  }
}

const PR_SET_SECCOMP = 22;
const PR_SET_NO_NEW_PRIVS = 38;
const SECCOMP_MODE_FILTER = 2n;
const SECCOMP_RET_ERRNO = 0x0005_0000;
const SECCOMP_RET_ALLOW = 0x7fff_0000;
const LOAD = 0x20;
const JUMP_IF_EQUAL = 0x15;
const RETURN = 0x06;

/** Has the kernel refuse the new system calls with an error, as a container may; for the rest of this process's life. */
export function refuseNewCalls(errno: number): void {
  // Each instruction has a code, how many to pass over if yes and if no, and an operand.
  const filter = [
    [LOAD, 0, 0, 0],
    [JUMP_IF_EQUAL, 1, 0, SYS_clone3],
    [JUMP_IF_EQUAL, 0, 1, SYS_close_range],
    [RETURN, 0, 0, SECCOMP_RET_ERRNO | errno],
    [RETURN, 0, 0, SECCOMP_RET_ALLOW],
  ] as const;
  const code = new DataView(new ArrayBuffer(filter.length * 8));
  for (const [index, [operation, yes, no, operand]] of filter.entries()) {
    code.setUint16(index * 8, operation, true);
    code.setUint8(index * 8 + 2, yes);
    code.setUint8(index * 8 + 3, no);
    code.setUint32(index * 8 + 4, operand, true);
  }
  const program = new DataView(new ArrayBuffer(16));
  program.setUint16(0, filter.length, true);
  program.setBigUint64(8, addressOf(code.buffer), true);
  assertEquals(libc.prctl(PR_SET_NO_NEW_PRIVS, 1n, null, 0n, 0n), 0);
  assertEquals(
    libc.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, program, 0n, 0n),
    0,
  );
}
