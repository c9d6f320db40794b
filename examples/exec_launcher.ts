/**
 * A launcher that becomes the program that it starts: os.execvp() of Python, without a fork.
 *
 * Nothing of it stays in between: the program has the launcher's PID, takes the signals that are sent to it, and its exit
 * code is what `$?` shows. A launcher that starts a child has to pass all that on.
 *
 * Run it: deno task example:exec-launcher [pid | date | uname | sleep | any command line]
 */
import { execvp } from "../exec/mod.ts";
import { PosixError } from "../mod.ts";
import { getpid } from "../process/mod.ts";

const programs = new Map([
  ["pid", ["sh", "-c", 'echo "the program: PID $$"']],
  ["date", ["date", "+%Y-%m-%d %H:%M:%S"]],
  ["uname", ["uname", "-s", "-r", "-m"]],
  ["sleep", ["sleep", "1"]],
]);

const [name = "pid", ...args] = Deno.args;
const known = args.length === 0 ? programs.get(name) : undefined;
const argv = known ?? [name, ...args];

console.error(`the launcher: PID ${getpid()} becomes ${argv.join(" ")}`);
try {
  execvp(argv[0]!, argv);
} catch (error) {
  if (!(error instanceof PosixError)) throw error;
  console.error(error.message);
  Deno.exit(error.code === "ENOENT" ? 127 : 126); // as shells have it
}
