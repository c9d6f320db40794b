import {
  checkArray,
  checkString,
  describe,
  wrongType,
} from "../ffi/_arguments.ts";
import { cStringArray } from "../ffi/_c_strings.ts";

/** The variables of an environment by name: all that the program gets. */
export type Environment = Readonly<Record<string, string>>;

/** `argv`: the arguments as C wants them, the program's own name first. */
export function argvBlock(args: readonly string[]): Uint8Array<ArrayBuffer> {
  checkArray(args, "args");
  if (args.length === 0) {
    throw new RangeError(
      "'args' must not be empty, its first element is the program's own name: current value is []",
    );
  }
  // Spread, so that a hole becomes an undefined that is refused instead of a NULL that ends the list.
  return cStringArray([...args], "args");
}

/** `envp`: the environment as C wants it. */
export function envpBlock(env: Environment): Uint8Array<ArrayBuffer> {
  return cStringArray(variables(env), "env");
}

/** The variables of an environment, each as `NAME=value`. */
export function variables(env: Environment): string[] {
  // A Map or an array has no variables as properties, and would silently make an empty environment or a wrong one.
  if (Object.prototype.toString.call(env) !== "[object Object]") {
    throw wrongType(env, "env", "an object of strings");
  }
  return Object.entries(env).map(([name, value]) => variable(name, value));
}

function variable(name: string, value: string): string {
  if (name === "" || /[=\0]/.test(name)) {
    throw new TypeError(
      `'env' must not have a name that is empty or contains "=" or NUL: current name is ${
        describe(name)
      }`,
    );
  }
  return `${name}=${checkString(value, `env[${describe(name)}]`)}`;
}
