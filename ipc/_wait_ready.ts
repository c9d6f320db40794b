import { PosixError } from "../ffi/posix_error.ts";
import { poll } from "./poll.ts";

/** After an error of a non-blocking call: waits until the descriptor is ready if it was `EAGAIN`, throws it otherwise. */
export function waitIfWouldBlock(
  error: unknown,
  fd: number,
  events: number,
): void {
  if (!(error instanceof PosixError) || error.code !== "EAGAIN") throw error;
  poll([{ fd, events }], -1);
}
