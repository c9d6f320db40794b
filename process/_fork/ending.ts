import { rehearsing } from "../../ffi/_after_fork.ts";
import { _exit } from "../_exit.ts";

const hasTelemetry = /^2\.[12]\./.test(Deno.version.deno);

/**
 * In the child, on Deno 2.1 and 2.2: ends it without the runtime's own way out.
 *
 * Those two wait at their end for the thread of their telemetry, which a child does not have. Every other version leaves
 * a forked child as it leaves any process: its own code for unloading and for printing what was not caught is at work.
 */
export function endWithoutTelemetry(): void {
  if (!hasTelemetry || rehearsing) return;
  listenLast({
    unload() {
      announceExit();
      _exit(Deno.exitCode);
    },
    error(event) {
      if (!event.defaultPrevented) printAndExit("Uncaught", event.error);
    },
    unhandledrejection(event) {
      if (!event.defaultPrevented) {
        printAndExit("Uncaught (in promise)", event.reason);
      }
    },
  });
}

interface Listeners {
  unload(event: Event): void;
  error(event: ErrorEvent): void;
  unhandledrejection(event: PromiseRejectionEvent): void;
}

/** Listens after all others, those included that are added later. */
function listenLast(listeners: Listeners): void {
  const { addEventListener, removeEventListener } = globalThis;
  const last = new Map(Object.entries(listeners)) as Map<
    string,
    EventListener
  >;
  const add = (type: string) => {
    removeEventListener(type, last.get(type)!);
    addEventListener(type, last.get(type)!);
  };
  last.keys().forEach(add);
  globalThis.addEventListener = (
    ...parameters: Parameters<typeof addEventListener>
  ) => {
    addEventListener(...parameters);
    if (last.has(parameters[0])) add(parameters[0]);
  };
}

/** Has the listeners of `process.on("exit")` called, which come after `unload`, unless `process.exit` has done so. */
function announceExit(): void {
  const { process } = globalThis as unknown as {
    process: {
      _exiting?: boolean;
      emit(name: string, code: number): void;
    };
  };
  if (process._exiting) return;
  process._exiting = true;
  process.emit("exit", Deno.exitCode);
}

function printAndExit(how: string, error: unknown): never {
  console.error(`error: ${how} ${Deno.inspect(error)}`);
  _exit(1);
}
