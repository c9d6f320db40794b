import { descriptorSymbols, waitSymbols } from "../../ffi/_symbols.ts";
import { kill } from "../../process/kill.ts";
import { forkWith } from "../_helpers.ts";

/** Forks a child that sleeps until a signal ends it, which is for `body` to send; where `body` fails, it is ended here. */
export function withSleeper(body: (pid: number) => void): void {
  const pid = forkWith(() => {
    for (;;) descriptorSymbols().poll(null, 0n, -1);
  });
  try {
    body(pid);
  } catch (error) {
    kill(pid, "SIGKILL");
    waitSymbols().waitpid(pid, null, 0);
    throw error;
  }
}
