import {
  addressOf,
  checkArray,
  checkString,
  cString,
  cStringArray,
  describe,
  wrongType,
} from "../ffi/_arguments.ts";
import { type Action, errorFor, readErrno } from "../ffi/_libc.ts";
import { SIGNAL_NUMBERS } from "../ffi/_signals.ts";
import {
  environmentSymbols,
  memorySymbols,
  signalSymbols,
} from "../ffi/_symbols.ts";
import { SIG_DFL, SIG_SETMASK } from "../ffi/constants.ts";
import { SIGACTION, SIGSET } from "../ffi/layouts.ts";

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
function variables(env: Environment): string[] {
  // A Map or an array has no variables as properties, and would silently make an empty environment or a wrong one.
  if (Object.prototype.toString.call(env) !== "[object Object]") {
    throw wrongType(env, "env", "an object of strings");
  }
  return Object.entries(env).map(([name, value]) => assignment(name, value));
}

function assignment(name: string, value: string): string {
  if (name === "" || /[=\0]/.test(name)) {
    throw new TypeError(
      `'env' must not have a name that is empty or contains "=" or NUL: current name is ${
        describe(name)
      }`,
    );
  }
  return `${name}=${checkString(value, `env[${describe(name)}]`)}`;
}

const POINTER_SIZE = 8n;

/** Where glibc looks if there is no `PATH`. */
const DEFAULT_PATH = "/bin:/usr/bin";

/** An environment as C wants it. */
interface EnvironmentTable {
  /** Where it is. */
  readonly address: bigint;
  /** What it is kept in, if it is not this process's own. */
  readonly block?: Uint8Array<ArrayBuffer>;
}

/** The environment of a program: this process's, unless it is not wanted, with variables added or replaced. */
export function environmentFor(
  env: Environment | undefined,
  clear: boolean,
): EnvironmentTable {
  if (env === undefined && !clear) return { address: ownTable() };
  const added = variables(env ?? {});
  const block = cStringArray(added, "env", clear ? [] : inherited(env ?? {}));
  return { address: addressOf(block.buffer), block };
}

/** The variables of this process but those with the names given, as the addresses of libc's own strings. */
function inherited(without: Environment): bigint[] {
  const { getenv } = environmentSymbols();
  const replaced = new Set(
    Object.keys(without).map((name) => {
      const bytes = cString(name, "env");
      // What C gives is the value, which stands in the same string, behind the name and "=".
      return getenv(bytes) - BigInt(bytes.length);
    }),
  );
  const addresses: bigint[] = [];
  let at = ownTable();
  for (;; at += POINTER_SIZE) {
    const address = at === 0n ? 0n : pointerAt(at);
    if (address === 0n) return addresses;
    if (!replaced.has(address)) addresses.push(address);
  }
}

/** Where a program may be: the path itself, or the name in each directory of this process's `PATH`. */
export function programPaths(file: string): string[] {
  if (file === "" || file.includes("/")) return [file];
  const path = variable("PATH") ?? DEFAULT_PATH;
  return path.split(":").map((directory) => `${directory || "."}/${file}`);
}

function variable(name: string): string | undefined {
  const { getenv, strlen } = environmentSymbols();
  const address = getenv(cString(name, "name"));
  if (address === 0n) return undefined;
  const bytes = new Uint8Array(Number(strlen(address)));
  memorySymbols().memcpy(bytes, address, BigInt(bytes.length));
  return new TextDecoder().decode(bytes);
}

/** Where this process's table of variables is, at the moment; 0 if it has none. */
function ownTable(): bigint {
  if (environ === 0n) {
    const libc = environmentSymbols();
    environ = libc.address_of(libc.environ, new Uint8Array(1), 0n);
  }
  return pointerAt(environ);
}

/** Where libc keeps the address of the table. */
let environ = 0n;

function pointerAt(address: bigint): bigint {
  memorySymbols().memcpy(pointer, address, POINTER_SIZE);
  return pointer[0]!;
}

const pointer = new BigUint64Array(new ArrayBuffer(8));

/**
 * Makes a call of the exec family in the state in which programs expect to start, and throws if it comes back, with
 * everything as it was.
 *
 * What a Deno process carries that the kernel would hand on, and what is done about it (measured on Deno 2.0 to 2.9):
 *
 * - SIGPIPE is ignored, by Rust's runtime; a filter would not end with its reader. Back to its default.
 * - Signals with a handler fall back to their default by themselves. Ignored ones stay ignored, as POSIX has it.
 * - The mask is emptied, that of the calling thread, which is the one that lives on.
 * - Descriptors: all that Deno opens are close-on-exec, and standard input and output stay in blocking mode.
 * - The soft limit of open files, which Deno raises to the hard one, stays raised, as it does for `Deno.Command`: what it was is
 *   not recorded anywhere.
 */
export function become(
  call: () => number,
  syscall: string,
  action: Action,
  path?: string,
): never {
  const libc = signalSymbols();
  const { SIGPIPE } = SIGNAL_NUMBERS;
  const mask = new Uint8Array(SIGSET.size);
  const disposition = new Uint8Array(SIGACTION.size);

  // The mask first: a SIGPIPE that is blocked and pending is dropped while it is ignored, but would kill by default.
  libc.pthread_sigmask(SIG_SETMASK, new Uint8Array(SIGSET.size), mask);
  libc.sigaction(SIGPIPE, defaultDisposition(), disposition);
  call();
  const errno = readErrno();
  libc.sigaction(SIGPIPE, disposition, null);
  libc.pthread_sigmask(SIG_SETMASK, mask, null);
  throw errorFor(errno, syscall, action, path);
}

/** A `struct sigaction` of `SIG_DFL`. */
export function defaultDisposition(): Uint8Array<ArrayBuffer> {
  const action = new Uint8Array(SIGACTION.size);
  new DataView(action.buffer).setBigUint64(
    SIGACTION.fields.sa_handler,
    BigInt(SIG_DFL),
    true,
  );
  return action;
}
