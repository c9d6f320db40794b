import { _exit } from "../_exit.ts";

/**
 * In the child, on Deno 2.1 and 2.2: ends it without the runtime's own way out.
 *
 * Those two wait at their end for the thread of their telemetry, which a child does not have. Every other version leaves
 * a forked child as it leaves any process: its own code for unloading and for printing what was not caught is at work.
 */
export function endWithoutTelemetry(): void {
  if (!/^2\.[12]\./.test(Deno.version.deno)) return;
  addEventListener("unload", () => _exit(Deno.exitCode));
  addEventListener("error", (event) => {
    if (!event.defaultPrevented) printAndExit("Uncaught", event.error);
  });
  addEventListener("unhandledrejection", (event) => {
    if (!event.defaultPrevented) {
      printAndExit("Uncaught (in promise)", event.reason);
    }
  });
}

function printAndExit(how: string, error: unknown): never {
  console.error(`error: ${how} ${Deno.inspect(error)}`);
  _exit(1);
}
