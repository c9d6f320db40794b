import { ERRNO, PosixError } from "../../ffi/errors.ts";
import { _exit } from "../_exit.ts";

/** Whether this Deno has the thread of its telemetry, which a child lacks. */
export const hasTelemetry: boolean = /^2\.[12]\./.test(Deno.version.deno);

/**
 * In the child, on Deno 2.1 and 2.2: ends it without the runtime's own way out.
 *
 * Those two wait at their end for the thread of their telemetry, which a child does not have. Every other version leaves
 * a forked child as it leaves any process: its own code for unloading and for printing what was not caught is at work.
 */
export function endWithoutTelemetry(): void {
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

/**
 * In a child whose parent has watched files: has `Deno.watchFs` say why it cannot.
 *
 * Deno asks one thread for all that is watched, from the first time on. A child does not have it, and would wait for its
 * answer for ever.
 */
export function refuseFileWatching(): void {
  Deno.watchFs = () => {
    throw new PosixError("Cannot watch files", {
      errno: ERRNO.ENOTSUP,
      syscall: "inotify_add_watch",
      detail:
        "the process that this one was forked from had done so, and a fork does not copy the thread that it takes",
    });
  };
}

/**
 * In a child where V8's worker threads could not be started anew: compiles WebAssembly on the calling thread.
 *
 * The functions that promise a module have those threads compile it, and so would never keep their promise. The synchronous
 * constructors do the same work, and report the same errors.
 */
export function compileOnThisThread(): void {
  // deno-lint-ignore require-await
  WebAssembly.compile = async (bytes) => new WebAssembly.Module(bytes);
  WebAssembly.instantiate = instantiate as typeof WebAssembly.instantiate;
  WebAssembly.compileStreaming = async (source) =>
    new WebAssembly.Module(await bytesOf(source));
  WebAssembly.instantiateStreaming = async (source, imports) => {
    const module = new WebAssembly.Module(await bytesOf(source));
    return { module, instance: new WebAssembly.Instance(module, imports) };
  };
}

// deno-lint-ignore require-await
async function instantiate(
  source: BufferSource | WebAssembly.Module,
  imports?: WebAssembly.Imports,
): Promise<WebAssembly.Instance | WebAssembly.WebAssemblyInstantiatedSource> {
  if (source instanceof WebAssembly.Module) {
    return new WebAssembly.Instance(source, imports);
  }
  const module = new WebAssembly.Module(source);
  return { module, instance: new WebAssembly.Instance(module, imports) };
}

/** The body of a response that says of itself that it is WebAssembly, as the standard asks. */
async function bytesOf(
  source: Response | PromiseLike<Response>,
): Promise<ArrayBuffer> {
  const response = await source;
  const type = response.headers.get("content-type")?.split(";")[0]?.trim();
  if (type?.toLowerCase() !== "application/wasm") {
    throw new TypeError(`Invalid WebAssembly content type: ${type ?? "none"}`);
  }
  if (!response.ok) {
    throw new TypeError(`Failed to receive WebAssembly: ${response.status}`);
  }
  return await response.arrayBuffer();
}
