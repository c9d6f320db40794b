import { assert, assertEquals, assertThrows } from "@std/assert";
import { PosixError } from "../../ffi/errors.ts";
import { cString } from "../../ffi/_arguments.ts";
import { procSymbols } from "../../ffi/_symbols.ts";
import { chdir } from "../../process/attributes.ts";
import {
  forkWith,
  readText,
  reap,
  withDirectory,
  withoutLeaks,
} from "../_helpers.ts";

function workingDirectory(): string {
  const buffer = new Uint8Array(4096);
  const length = procSymbols()
    .readlink(cString("/proc/self/cwd", "path"), buffer, 4096n);
  return new TextDecoder().decode(buffer.subarray(0, length));
}

Deno.test(
  "chdir() changes the directory, of the child alone if it is the child's call",
  withoutLeaks(() =>
    withDirectory((directory) => {
      const before = workingDirectory();
      const raw = reap(forkWith(() => {
        chdir(directory);
        assert(workingDirectory().endsWith(directory));
        chdir("/");
        chdir("proc");
        assertEquals(workingDirectory(), "/proc");
        assert(readText("self/stat").length > 0);
      }));
      assertEquals(raw, 0);
      assertEquals(workingDirectory(), before);
    })
  ),
);

Deno.test("chdir() throws what is wrong with the path, and stays", () => {
  const before = workingDirectory();
  const cases: [path: string, code: string][] = [
    ["/nowhere/at all", "ENOENT"],
    ["", "ENOENT"],
    ["/dev/null", "ENOTDIR"],
    [`/${"x".repeat(300)}`, "ENAMETOOLONG"],
  ];
  for (const [path, code] of cases) {
    const error = assertThrows(
      () => chdir(path),
      PosixError,
      `Cannot change the working directory to "${path}": chdir failed with ${code}`,
    );
    assertEquals(
      [error.code, error.syscall, error.path],
      [code, "chdir", path],
    );
  }
  assertEquals(workingDirectory(), before);
});

Deno.test("chdir() refuses what is no path", () => {
  assertThrows(() => chdir("/\0tmp"), TypeError, "'path' must not contain NUL");
  assertThrows(() => chdir(1 as unknown as string), TypeError, "'path'");
});
