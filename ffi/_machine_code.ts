import {
  MAP_ANONYMOUS,
  MAP_PRIVATE,
  PROT_READ,
  PROT_WRITE,
} from "./constants.ts";
import { ARCHITECTURE, type Architecture } from "./_platform.ts";
import { type Action, checkZero, lastError } from "./_results.ts";
import { PROT_EXEC } from "./signal_constants.ts";
import { mappingSymbols, memorySymbols } from "./_symbols.ts";

/** Machine code for each architecture, in hexadecimal: what the assembler makes of the source that its test has. */
export type MachineCode = Readonly<Record<Architecture, string>>;

/** How far data lie behind code: a multiple of every page size. */
export const DATA_OFFSET = 65_536;

const MAP_FAILED = 0xffff_ffff_ffff_ffffn;

/**
 * Puts code into memory of its own, which is never writable and executable at once, nor ever given back, since nobody can tell
 * whether a thread is just about to enter it. Behind it, at {@linkcode DATA_OFFSET}, is as much memory for its data. Gives the address.
 */
export function loadMachineCode(code: MachineCode, action: Action): bigint {
  const libc = mappingSymbols();
  const address = libc.mmap(
    0n,
    BigInt(2 * DATA_OFFSET),
    PROT_READ | PROT_WRITE,
    MAP_PRIVATE | MAP_ANONYMOUS,
    -1,
    0n,
  );
  if (address === MAP_FAILED) throw lastError("mmap", action);
  const bytes = Uint8Array.from(
    code[ARCHITECTURE].match(/../g)!,
    (byte) => parseInt(byte, 16),
  );
  memorySymbols().store(address, bytes, BigInt(bytes.length));
  checkZero(
    libc.mprotect(address, BigInt(DATA_OFFSET), PROT_READ | PROT_EXEC),
    "mprotect",
    action,
  );
  return address;
}
