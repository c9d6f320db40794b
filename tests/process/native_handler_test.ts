import { assertEquals } from "@std/assert";
import { O_CREAT, O_RDONLY, O_WRONLY } from "../../ffi/constants.ts";
import { close, open, readAll, writeAll } from "../../ipc/mod.ts";
import { HANDLER_CODE } from "../../process/_signals/native_handler.ts";
import { withDirectory, withoutLeaks } from "../_helpers.ts";
import { targets } from "../ffi/_compiler.ts";
import { run } from "../ffi/_programs.ts";

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

const END = "the code ends here";
const LENGTH = "its length:";

for (const { arch, compiler, note } of targets) {
  Deno.test({
    name: `the signal handler is what the assembler makes of it on ${note}`,
    ignore: compiler === null,
    fn: withoutLeaks(() =>
      withDirectory((directory) => {
        const [source, output] = [`${directory}/a.s`, `${directory}/a.o`];
        const file = open(source, O_WRONLY | O_CREAT, 0o600);
        writeAll(
          file,
          [
            `code:${SOURCES[arch]!}`,
            `end: .ascii "${END}"`,
            ".org 65536",
            "data:",
            ".section .rodata",
            `.ascii "${LENGTH}"`,
            ".byte end - code",
            "",
          ].join("\n"),
        );
        close(file);
        const { status } = run(compiler!, "-c", "-o", output, source);
        assertEquals(status, 0);
        const object = open(output, O_RDONLY);
        const bytes = Array.from(
          readAll(object),
          (byte) => String.fromCharCode(byte),
        ).join("");
        close(object);
        const length = bytes.charCodeAt(bytes.indexOf(LENGTH) + LENGTH.length);
        const end = bytes.indexOf(END);
        const code = Array.from(
          bytes.slice(end - length, end),
          (letter) => letter.charCodeAt(0).toString(16).padStart(2, "0"),
        );
        assertEquals(code.join(""), HANDLER_CODE[arch as "x86_64"]);
      })
    ),
  });
}
