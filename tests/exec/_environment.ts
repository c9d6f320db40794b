import { assert, assertEquals } from "@std/assert";
import { cString } from "../../ffi/_arguments.ts";
import { libc } from "./_libc.ts";

/** Sets a variable of the process's environment, as `Deno.env.set` would with a permission. */
export function setVariable(name: string, value: string): void {
  assertEquals(
    libc.setenv(cString(name, "name"), cString(value, "value"), 1),
    0,
  );
}

/** Removes a variable of the process's environment. */
export function unsetVariable(name: string): void {
  assertEquals(libc.unsetenv(cString(name, "name")), 0);
}

/** What a variable of the process's environment is. */
export function getVariable(name: string): string {
  const value = libc.getenv(cString(name, "name"));
  assert(value !== null);
  return Deno.UnsafePointerView.getCString(value);
}
