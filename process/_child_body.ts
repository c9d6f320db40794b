import { checkInteger } from "../ffi/_arguments.ts";
import { hasTestRunner } from "../ffi/_deno_core.ts";
import { _exit } from "./_exit.ts";

const EXIT_CODE_MAX = 255;

/** What a forked child does, and then ends with. */
export type ChildBody = () => number | void | Promise<number | void>;

/**
 * In the child: runs the body, and ends the process when it has ended.
 *
 * The way out is Deno's own: `Deno.exit` for a body that has ended, and for one that fails a promise whose rejection nobody
 * handles, which Deno prints, to end with code 1. Only where a test runner would catch both is the child ended past it.
 */
export function startBody(body: ChildBody): void {
  if (hasTestRunner()) leavePastRunner();
  // A child whose body waits for nothing that the event loop knows of must not end as if that were the end of it.
  setInterval(() => {}, 2 ** 31 - 1);
  run(body);
}

async function run(body: ChildBody): Promise<void> {
  let code: number | void;
  try {
    code = await body();
    if (code !== undefined) {
      checkInteger(code, "body()", 0, EXIT_CODE_MAX);
    }
  } catch (error) {
    // Where a listener of the program's own takes care of such rejections, the child must end all the same.
    addEventListener("unhandledrejection", (event) => {
      if (event.defaultPrevented) Deno.exit(1);
    });
    throw error;
  }
  // `undefined` stands for `Deno.exitCode`.
  Deno.exit(code as number | undefined);
}

/** Has exits end the process, and errors that nobody handles be printed as Deno prints them, and end it. */
function leavePastRunner(): void {
  Deno.exit = (code) => _exit(code ?? Deno.exitCode);
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
