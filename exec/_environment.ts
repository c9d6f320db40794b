import { addressOf, cString, cStringArray } from "../ffi/_c_strings.ts";
import { environmentSymbols, memorySymbols } from "../ffi/_symbols.ts";
import { type Environment, variables } from "./_argv_envp.ts";

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
