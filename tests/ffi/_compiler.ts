import { O_CREAT, O_RDONLY, O_WRONLY } from "../../ffi/constants.ts";
import { close, open } from "../../ipc/descriptors.ts";
import { readAll, writeAll } from "../../ipc/read_write.ts";
import { withDirectory } from "../_helpers.ts";
import { findProgram, run } from "./_programs.ts";

/** An architecture, and the C compiler for it that was found. */
export interface Target {
  arch: string;
  compiler: string | null;
  /** What a test's name ends with: why it is not run, if it is not. */
  note: string;
}

/** The architectures of the library: the running one takes the system's compiler, the other one a cross compiler. */
export const targets: readonly Target[] = ["x86_64", "aarch64"].map((arch) => {
  const names = arch === Deno.build.arch
    ? ["cc", "gcc", "clang"]
    : [`${arch}-linux-gnu-gcc`];
  const compiler = findProgram(...names);
  const note = compiler === null
    ? `${arch} (skipped: no ${names.join(", ")} on PATH)`
    : arch;
  return { arch, compiler, note };
});

const MARKER = "values of C start here:";

/**
 * What the C compiler says that integer expressions are worth.
 *
 * They are compiled to an object file, and read from its data, so that a cross compiler will do: nothing of it is run.
 */
export async function evaluate(
  compiler: string,
  headers: readonly string[],
  expressions: readonly string[],
): Promise<number[]> {
  const source = [
    "#define _GNU_SOURCE",
    ...headers.map((header) => `#include <${header}>`),
    `const struct { char marker[${
      MARKER.length + 1
    }]; long long values[${expressions.length}]; }`,
    `__attribute__((packed)) data = { "${MARKER}", {`,
    ...expressions.map((expression) => `(long long) (${expression}),`),
    "} };",
  ].join("\n");
  const values: number[] = [];
  await withDirectory((directory) => {
    const file = open(`${directory}/values.c`, O_WRONLY | O_CREAT, 0o600);
    writeAll(file, source);
    close(file);
    const output = `${directory}/values.o`;
    const { status } = run(
      compiler,
      "-c",
      "-o",
      output,
      `${directory}/values.c`,
    );
    if (status !== 0) throw new Error(`${compiler} refuses:\n${source}`);
    const object = open(output, O_RDONLY);
    const bytes = readAll(object);
    close(object);
    const start = indexOf(bytes, new TextEncoder().encode(`${MARKER}\0`));
    const view = new DataView(
      bytes.buffer,
      bytes.byteOffset + start + MARKER.length + 1,
    );
    for (let index = 0; index < expressions.length; index++) {
      values.push(Number(view.getBigInt64(index * 8, true)));
    }
  });
  return values;
}

function indexOf(bytes: Uint8Array, wanted: Uint8Array): number {
  for (let at = 0; at + wanted.length <= bytes.length; at++) {
    if (wanted.every((byte, index) => bytes[at + index] === byte)) return at;
  }
  throw new Error("Cannot find the marker in the object file");
}
