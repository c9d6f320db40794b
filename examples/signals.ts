/**
 * All signals of the system, as `kill -l` lists them, with their descriptions.
 *
 * Mirrors signal.Signals and signal.strsignal() in Python. Run it: deno task example:signals
 */
import { signalName, SIGNALS, strsignal } from "../process/mod.ts";

// A set, since some numbers have a second name, such as SIGCLD for SIGCHLD.
for (const number of new Set(Object.values(SIGNALS))) {
  const name = signalName(number);
  console.log(
    `${`${number}`.padStart(2)}) ${name.padEnd(12)} ${strsignal(number)}`,
  );
}
