import { mkfifo } from "../ipc/mod.ts";
import { PosixError } from "../mod.ts";

/**
 * Makes a FIFO, unless the program on its other side has done so already.
 *
 * @returns Whether it was made here: who makes it removes it in the end.
 */
export function makeFifo(path: string): boolean {
  try {
    mkfifo(path, 0o600);
    return true;
  } catch (error) {
    if (!(error instanceof PosixError) || error.code !== "EEXIST") throw error;
    return false;
  }
}
