import { assertEquals } from "@std/assert";
import { O_CREAT, O_RDONLY, O_WRONLY } from "../../ffi/constants.ts";
import { DATA_OFFSET, type MachineCode } from "../../ffi/_call_list.ts";
import { close, open, readAll, writeAll } from "../../ipc/mod.ts";
import { withDirectory, withoutLeaks } from "../_helpers.ts";
import { targets } from "./_compiler.ts";
import { run } from "./_programs.ts";

const END = "the code ends here";
const LENGTH = "its length:";

/** Registers a test for each architecture that machine code is what the assembler makes of its source, which can refer to `data`. */
export function testMachineCode(
  name: string,
  code: MachineCode,
  sources: Readonly<Record<string, string>>,
): void {
  for (const { arch, compiler, note } of targets) {
    Deno.test({
      name: `${name} is what the assembler makes of it on ${note}`,
      ignore: compiler === null,
      fn: withoutLeaks(() =>
        withDirectory((directory) => {
          const bytes = assemble(compiler!, sources[arch]!, directory);
          assertEquals(bytes, code[arch as keyof MachineCode]);
        })
      ),
    });
  }
}

function assemble(
  compiler: string,
  source: string,
  directory: string,
): string {
  const [input, output] = [`${directory}/a.s`, `${directory}/a.o`];
  const file = open(input, O_WRONLY | O_CREAT, 0o600);
  writeAll(
    file,
    [
      `code:${source}`,
      `end: .ascii "${END}"`,
      `.org ${DATA_OFFSET}`,
      "data:",
      ".section .rodata",
      `.ascii "${LENGTH}"`,
      ".byte end - code",
      "",
    ].join("\n"),
  );
  close(file);
  const { status } = run(compiler, "-c", "-o", output, input);
  assertEquals(status, 0);
  const object = open(output, O_RDONLY);
  const bytes = Array.from(
    readAll(object),
    (byte) => String.fromCharCode(byte),
  ).join("");
  close(object);
  const length = bytes.charCodeAt(bytes.indexOf(LENGTH) + LENGTH.length);
  const end = bytes.indexOf(END);
  return Array.from(
    bytes.slice(end - length, end),
    (letter) => letter.charCodeAt(0).toString(16).padStart(2, "0"),
  ).join("");
}
