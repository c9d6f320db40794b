import { assertEquals, assertThrows } from "@std/assert";
import { PosixError } from "../../ffi/errors.ts";
import { type Environment, execve } from "../../exec/exec.ts";
import { withoutLeaks } from "../_helpers.ts";
import { capture } from "./_capture.ts";

function environmentOf(env: Environment): string {
  const args = ["cat", "/proc/self/environ"];
  const { raw, output } = capture(() => execve("/bin/cat", args, env));
  assertEquals(raw, 0);
  return output;
}

Deno.test(
  "execve() gives exactly the environment that it is given, in its order",
  withoutLeaks(() => {
    const env = {
      ZEBRA: "1",
      "a b": "ü=字\n",
      EMPTY: "",
      // deno-lint-ignore camelcase
      _lower: "$HOME",
    };
    assertEquals(
      environmentOf(env),
      "ZEBRA=1\0a b=ü=字\n\0EMPTY=\0_lower=$HOME\0",
    );
    assertEquals(environmentOf({}), "");
    assertEquals(
      environmentOf(Object.assign(Object.create(null), { A: "b" })),
      "A=b\0",
    );
  }),
);

Deno.test("execve() throws what is wrong with the program", () => {
  const error = assertThrows(
    () => execve("/nowhere", ["x"], {}),
    PosixError,
    `Cannot execute "/nowhere": execve failed with ENOENT`,
  );
  assertEquals(
    [error.code, error.syscall, error.path],
    ["ENOENT", "execve", "/nowhere"],
  );
  const big = { X: "x".repeat(3 * 2 ** 20) };
  assertEquals(
    assertThrows(() => execve("/bin/true", ["x"], big), PosixError).code,
    "E2BIG",
  );
});

Deno.test("execve() refuses wrong environments, naming what is wrong", () => {
  const become = (env: unknown) =>
    execve("/bin/false", ["x"], env as Environment);
  for (const name of ["", "=", "A=B", "A\0B"]) {
    assertThrows(
      () => become({ GOOD: "1", [name]: "x" }),
      TypeError,
      `'env' must not have a name that is empty or contains "=" or NUL: current name is "`,
    );
  }
  assertThrows(
    () => become({ A: "x\0y" }),
    TypeError,
    `'env["A"]' must not contain NUL`,
  );
  assertThrows(() => become({ A: undefined }), TypeError, `'env["A"]'`);
  assertThrows(() => become({ A: 5 }), TypeError, `'env["A"]'`);
  assertThrows(() => become({ "\ud800": "x" }), TypeError, "lone surrogate");
  for (
    const wrong of [
      undefined,
      null,
      "A=b",
      ["A=b"],
      new Map([["A", "b"]]),
      Deno.env,
    ]
  ) assertThrows(() => become(wrong), TypeError, "'env");
  assertThrows(() => execve("/bin/false", [], {}), RangeError, "'args'");
});
