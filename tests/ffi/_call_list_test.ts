import { assert, assertEquals } from "@std/assert";
import {
  CallList,
  CallOutput,
  int,
  MAKER_CODE,
  symbolAddresses,
} from "../../ffi/_call_list.ts";
import { addressOf, cString } from "../../ffi/_arguments.ts";
import { O_CLOEXEC, O_RDONLY } from "../../ffi/constants.ts";
import { errnoAddress } from "../../ffi/_libc.ts";
import { ERRNO } from "../../ffi/errors.ts";
import { waitSymbols } from "../../ffi/_symbols.ts";
import { withoutLeaks } from "../_helpers.ts";
import { testMachineCode } from "./_assembler.ts";

/** What makes the calls: it is called with the address of the first. A call takes 72 bytes. */
const SOURCES: Readonly<Record<string, string>> = {
  x86_64: `
    endbr64
    push %rbx
    mov %rdi, %rbx          # the call
  1: mov (%rbx), %rax       # its function, 0 at the end
    test %rax, %rax
    jz 2f
    mov %rax, %r11
    mov 8(%rbx), %rdi
    mov 16(%rbx), %rsi
    mov 24(%rbx), %rdx
    mov 32(%rbx), %rcx
    mov 40(%rbx), %r8
    mov 48(%rbx), %r9
    xor %eax, %eax          # none of the arguments is a float
    call *%r11
    mov %rax, 64(%rbx)      # its result
    mov 56(%rbx), %rcx      # how far to go on where that is 0
    add $72, %rbx
    test %eax, %eax
    jnz 1b
    add %rcx, %rbx
    jmp 1b
  2: pop %rbx
    ret                     # rax is 0`,
  aarch64: `
    stp x29, x30, [sp, #-32]!
    mov x29, sp
    str x19, [sp, #16]
    mov x19, x0             // the call
  1: ldr x8, [x19]          // its function, 0 at the end
    cbz x8, 2f
    ldp x0, x1, [x19, #8]
    ldp x2, x3, [x19, #24]
    ldp x4, x5, [x19, #40]
    blr x8
    str x0, [x19, #64]      // its result
    ldr x9, [x19, #56]      // how far to go on where that is 0
    add x19, x19, #72
    cbnz w0, 1b
    add x19, x19, x9
    b 1b
  2: mov x0, #0
    ldr x19, [sp, #16]
    ldp x29, x30, [sp], #32
    ret`,
};

testMachineCode("what makes the calls of a list", MAKER_CODE, SOURCES);

/** Memory that is not V8's to move. */
function memory(length: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(new ArrayBuffer(length));
}

function text(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}

Deno.test(
  "CallList makes its calls in order, with the results of earlier ones",
  withoutLeaks(() => {
    const { close, open, pread } = symbolAddresses();
    const list = new CallList();
    const [first, second] = [memory(5), memory(5)];
    const path = cString("/proc/self/status", "path");
    const fd = list.call(open, path, O_RDONLY | O_CLOEXEC);
    const counts = [
      list.call(pread, fd, first, 5, 0),
      list.call(pread, fd, second, 4, 1),
    ];
    const closed = list.call(close, fd);
    for (let round = 0; round < 3; round++) {
      first.fill(0);
      list.run();
      assert(list.result(fd) > 2);
      assertEquals(counts.map((count) => list.result(count)), [5, 4]);
      assertEquals(list.result(closed), 0);
      assertEquals([text(first), text(second)], ["Name:", "ame:\0"]);
    }
  }),
);

Deno.test(
  "CallList hands over six arguments, pointers, negative numbers, and what calls put into memory",
  withoutLeaks(() => {
    const { close, memcmp, memmem, read, socketpair, syscall } =
      symbolAddresses();
    const list = new CallList();
    const pair = memory(8);
    const [sender, receiver] = [
      new CallOutput(pair),
      new CallOutput(pair.subarray(4)),
    ];
    const bytes = cString("needle in a haystack", "text");
    const made = list.call(socketpair, 1, 1, 0, pair);
    const SYS_sendto = Deno.build.arch === "aarch64" ? 206 : 44;
    const sent = list.call(syscall, SYS_sendto, sender, bytes, 20, 0, 0);
    const into = memory(20);
    const received = list.call(read, receiver, into, 20);
    const found = list.call(memmem, into, 20, cString("hay", "text"), 3);
    const same = list.call(memcmp, found, cString("haystack", "text"), 8);
    const refused = list.call(close, -1);
    for (const fd of [sender, receiver]) list.call(close, fd);
    list.run();
    assertEquals(list.result(made), 0);
    assertEquals(list.result(sent), 20);
    assertEquals(list.result(received), 20);
    assertEquals(text(into), "needle in a haystack");
    assertEquals(list.result(same), 0);
    assertEquals(list.result(refused), -1);
  }),
);

Deno.test("CallList passes calls over where a result is 0, and not otherwise", () => {
  const { memcmp, memset } = symbolAddresses();
  for (
    const [value, expected] of [[0, [7, 0, 9, 0]], [1, [7, 8, 9, 0]]] as const
  ) {
    const list = new CallList();
    const bytes = memory(4);
    const set = (index: number, to: number) =>
      list.call(memset, bytes.subarray(index), to, 1);
    set(0, 7);
    list.unlessZero(
      list.call(memcmp, Uint8Array.of(value), Uint8Array.of(0), 1),
      () => set(1, 8),
    );
    set(2, 9);
    list.end();
    set(3, 10);
    list.run();
    assertEquals([...bytes], [...expected]);
  }
});

Deno.test("CallList passes calls over where a result is the one expected", () => {
  const { close, memset } = symbolAddresses();
  for (const [value, expected] of [[-1, [0]], [0, [1]], [7, [1]]] as const) {
    const list = new CallList();
    const bytes = memory(1);
    const refused = list.call(close, -1);
    list.unless(refused, value, () => list.call(memset, bytes, 1, 1));
    list.run();
    assertEquals([...bytes], [...expected]);
  }
});

Deno.test("CallList ends where a result must be 0 and is not", () => {
  const { memcmp, memset } = symbolAddresses();
  const [one, other, touched] = [int(1), int(1), int(0)];
  const list = new CallList();
  const comparison = list.call(memcmp, one, other, 4);
  list.endUnlessZero(comparison);
  list.call(memset, touched, 1, 4);
  other[0] = 2;
  list.run();
  assert(list.result(comparison) !== 0);
  assertEquals(touched[0], 0);
  other[0] = 1;
  list.run();
  assertEquals(list.result(comparison), 0);
  assertEquals(touched[0], 1);
});

Deno.test("CallList lets an argument be changed from run to run", () => {
  const { memset } = symbolAddresses();
  const list = new CallList();
  const bytes = memory(1);
  const call = list.call(memset, bytes, 0, 1);
  for (const value of [1, 2, 255]) {
    list.set(call, 1, value);
    list.run();
    assertEquals(bytes[0], value);
  }
  const others = memory(4);
  for (const place of [others.subarray(1), addressOf(others.buffer) + 3n]) {
    list.set(call, 0, place);
    list.run();
  }
  assertEquals([...others], [0, 255, 0, 255]);
});

Deno.test("CallList can keep the errno of a call, which is its thread's", () => {
  const { close, memcpy } = symbolAddresses();
  const list = new CallList();
  const errno = new Int32Array(new ArrayBuffer(4));
  list.call(close, -1);
  list.call(memcpy, new Uint8Array(errno.buffer), errnoAddress(), 4);
  list.run();
  assertEquals(errno[0], ERRNO.EBADF);
});

Deno.test(
  "CallList forks into two ways, of which the child's runs no JavaScript",
  withoutLeaks(() => {
    const { _exit, _Fork, fork } = symbolAddresses();
    const list = new CallList();
    const pid = list.call(_Fork || fork);
    list.unlessZero(pid, () => list.end());
    list.call(_exit, 42);
    list.run();
    const status = new Int32Array(1);
    const child = list.result(pid);
    assertEquals(waitSymbols().waitpid(child, status, 0), child);
    assertEquals(status[0], 42 << 8);
  }),
);
