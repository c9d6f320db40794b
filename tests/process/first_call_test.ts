import { assert, assertEquals } from "@std/assert";
import { addressOf } from "../../ffi/_arguments.ts";
import { CallList, symbolAddresses } from "../../ffi/_call_list.ts";
import {
  FirstCall,
  STAND_IN_CODE,
  VIRTUAL_FUNCTIONS,
} from "../../process/_fork/first_call.ts";
import { testMachineCode } from "../ffi/_assembler.ts";

/**
 * What stands in for the functions: 11 beginnings, which keep the place in the table, and one end. The data lie 65,536 bytes behind
 * it: whether it was done, the list, what makes its calls, the table.
 */
const SOURCES: Readonly<Record<string, string>> = {
  x86_64: `
    .set slot, 0
    .rept 11
    endbr64
    push $slot
    jmp 1f
    .set slot, slot + 8
    .endr
  1: push %rdi
    push %rsi
    push %rdx
    push %rcx
    push %r8
    push %r9
    sub $16, %rsp
    movsd %xmm0, (%rsp)
    mov $1, %eax
    xchg %eax, data(%rip)
    test %eax, %eax
    jnz 2f
    mov data+8(%rip), %rdi
    xor %esi, %esi
    call *data+16(%rip)
  2: movsd (%rsp), %xmm0
    add $16, %rsp
    pop %r9
    pop %r8
    pop %rcx
    pop %rdx
    pop %rsi
    pop %rdi
    mov data+24(%rip), %r11
    pop %rax
    jmp *(%r11, %rax)`,
  aarch64: `
    .set slot, 0
    .rept 11
    bti c
    mov x16, #slot
    b 1f
    .set slot, slot + 8
    .endr
  1: stp x29, x30, [sp, #-112]!
    mov x29, sp
    stp x0, x1, [sp, #16]
    stp x2, x3, [sp, #32]
    stp x4, x5, [sp, #48]
    stp x6, x7, [sp, #64]
    stp x8, x16, [sp, #80]
    str d0, [sp, #96]
    adr x9, data
    mov w10, #1
  2: ldaxr w11, [x9]
    stlxr w12, w10, [x9]
    cbnz w12, 2b
    cbnz w11, 3f
    ldp x0, x10, [x9, #8]
    mov x1, #0
    blr x10
  3: ldr d0, [sp, #96]
    ldp x8, x16, [sp, #80]
    ldp x6, x7, [sp, #64]
    ldp x4, x5, [sp, #48]
    ldp x2, x3, [sp, #32]
    ldp x0, x1, [sp, #16]
    ldp x29, x30, [sp], #112
    adr x9, data
    ldr x9, [x9, #24]
    ldr x16, [x9, x16]
    br x16`,
};

testMachineCode("what stands in for virtual functions", STAND_IN_CODE, SOURCES);

const MEMSET = {
  parameters: ["buffer", "i32", "usize"],
  result: "usize",
} as const;

/** An object with a table of functions, all of which are `memset`, and what its calls touch. */
function makeObject() {
  const { memset } = symbolAddresses();
  const table = new BigUint64Array(new ArrayBuffer(8 * VIRTUAL_FUNCTIONS));
  table.fill(memset);
  const object = new BigUint64Array(new ArrayBuffer(8));
  object[0] = addressOf(table.buffer);
  const touched = new Uint8Array(new ArrayBuffer(1));
  return { table, object, touched };
}

/** Calls a function by its place in the table that the object has: `memset(bytes, value, bytes.length)`. */
function callVirtual(
  object: BigUint64Array,
  place: number,
  bytes: Uint8Array<ArrayBuffer>,
  value: number,
): bigint {
  const table = Deno.UnsafePointer.create(object[0]!)!;
  const target = new Deno.UnsafePointerView(table).getPointer<typeof MEMSET>(
    8 * place,
  )!;
  return new Deno.UnsafeFnPointer(target, MEMSET)
    .call(bytes, value, BigInt(bytes.length));
}

Deno.test("FirstCall has its calls made before the first virtual function, and none before the others", () => {
  for (let place = 0; place < VIRTUAL_FUNCTIONS; place++) {
    const { table, object, touched } = makeObject();
    const address = addressOf(table.buffer);
    const first = new FirstCall([addressOf(object.buffer)], address, (list) => {
      list.call(symbolAddresses().memset, touched, 7, 1);
    });
    assertEquals(object[0], address);
    const list = new CallList();
    first.await(list);
    for (let round = 0; round < 2; round++) {
      list.run();
      assert(object[0] !== address);
      const before = object.slice();
      const bytes = new Uint8Array(new ArrayBuffer(3));
      assertEquals(
        callVirtual(object, place, bytes, 5),
        addressOf(bytes.buffer),
      );
      assertEquals([...bytes], [5, 5, 5]);
      assertEquals(touched[0], 7);
      assertEquals(object[0], address);
      // Somebody else may be on the way to it.
      touched[0] = 0;
      callVirtual(before, place, bytes, 6);
      assertEquals([...bytes], [6, 6, 6]);
      assertEquals(touched[0], 0);
    }
  }
});

Deno.test("FirstCall tries whether it comes to such a call, and does nothing then", () => {
  const { table, object, touched } = makeObject();
  const address = addressOf(table.buffer);
  const first = new FirstCall([addressOf(object.buffer)], address, (list) => {
    list.call(symbolAddresses().memset, touched, 7, 1);
  });
  const bytes = new Uint8Array(new ArrayBuffer(3));
  assert(!first.comesWith(() => {}));
  assertEquals(object[0], address);
  assert(first.comesWith(() => callVirtual(object, 0, bytes, 5)));
  assertEquals(object[0], address);
  assertEquals([...bytes], [5, 5, 5]);
  assertEquals(touched[0], 0);
});
