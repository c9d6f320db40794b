import { cString } from "../../ffi/_arguments.ts";
import { STATX } from "../../ffi/layouts.ts";
import { AT_FDCWD, S_IFMT, S_IFREG } from "../../ffi/constants.ts";
import { descriptorSymbols } from "../../ffi/_symbols.ts";
import { execv } from "../../exec/exec.ts";
import { close, dup2 } from "../../ipc/descriptors.ts";
import { pipe } from "../../ipc/pipes.ts";
import { readAll } from "../../ipc/read_write.ts";
import { forkWith, readText, reap } from "../_helpers.ts";

/** The path of the first of the programs that is on PATH; `null` if none is. */
export function findProgram(...names: string[]): string | null {
  const path = readText("/proc/self/environ").split("\0")
    .find((variable) => variable.startsWith("PATH="))?.slice(5);
  const directories = (path ?? "/usr/bin:/bin").split(":").filter(Boolean);
  for (const name of names) {
    for (const directory of directories) {
      if (isProgram(`${directory}/${name}`)) return `${directory}/${name}`;
    }
  }
  return null;
}

function isProgram(path: string): boolean {
  const stat = new Uint8Array(STATX.size);
  const result = descriptorSymbols()
    .statx(AT_FDCWD, cString(path, "path"), 0, 0x7ff, stat);
  const mode = new DataView(stat.buffer)
    .getUint16(STATX.fields.stx_mode, true);
  return result === 0 && (mode & S_IFMT) === S_IFREG && (mode & 0o111) !== 0;
}

/** Runs a program to its end: what it wrote to its standard output, and its raw status word. Its errors go to ours. */
export function run(
  path: string,
  ...args: string[]
): { stdout: string; status: number } {
  const [readable, writable] = pipe();
  const pid = forkWith(() => {
    dup2(writable, 1);
    return execv(path, [path, ...args]);
  });
  close(writable);
  const stdout = new TextDecoder().decode(readAll(readable));
  close(readable);
  return { stdout, status: reap(pid) };
}

/** Runs a program of this directory under the Deno that runs the tests. */
export function runDeno(
  program: string,
  args: string[] = [],
  permissions: string[] = [],
): { stdout: string; status: number } {
  const url = new URL(program, import.meta.url).href;
  return run(
    "/proc/self/exe",
    "run",
    "--no-prompt",
    "--no-config",
    "--quiet",
    ...permissions,
    url,
    ...args,
  );
}
