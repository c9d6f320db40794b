import { HANDLER_CODE } from "../../process/_signals/native_handler.ts";
import { testMachineCode } from "../ffi/_assembler.ts";

/** What the handler is made of: its data lie 65,536 bytes behind it, the descriptor first, then the next handlers by signal. */
const SOURCES: Readonly<Record<string, string>> = {
  x86_64: `
    push %rdi
    push %rsi
    push %rdx
    mov $1, %eax            # write
    mov data(%rip), %edi    # descriptor
    mov $128, %edx          # sizeof(siginfo_t); rsi is the siginfo_t
    syscall
    pop %rdx
    pop %rsi
    pop %rdi
    lea data(%rip), %rax
    movslq %edi, %rcx
    mov (%rax, %rcx, 8), %rax
    test %rax, %rax
    jz 1f
    jmp *%rax
  1: ret`,
  aarch64: `
    stp x0, x1, [sp, #-32]!
    str x2, [sp, #16]
    adr x9, data
    ldr w0, [x9]            // descriptor; x1 is the siginfo_t
    mov x2, #128            // sizeof(siginfo_t)
    mov x8, #64             // write
    svc #0
    ldr x2, [sp, #16]
    ldp x0, x1, [sp], #32
    ldr x9, [x9, w0, sxtw #3]
    cbz x9, 1f
    br x9
  1: ret`,
};

testMachineCode("the signal handler", HANDLER_CODE, SOURCES);
