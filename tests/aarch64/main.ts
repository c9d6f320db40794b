/**
 * Tries the library on aarch64, from whatever machine this is: its numbers against C's headers for that architecture, and its tests
 * on an emulated machine with a kernel, a glibc and a Deno of that architecture.
 *
 * Run as `deno task test:aarch64`; arguments choose the folders or files that the machine tests. What cannot be run here for want
 * of a program is said, and not counted as passed. The machine is emulated as a whole, and not only its user mode: there
 * `/proc` tells of the host's threads and system calls, and fork, which reads it, rightly refuses. The first run fetches some
 * 100 MB from Debian and npm.
 *
 * @module
 */

import { fromFileUrl } from "@std/path";
import { runOnMachine } from "./_machine.ts";
import { missing, output } from "./_output.ts";
import { fetchSystem } from "./_system.ts";

const FOLDERS = ["tests/ffi", "tests/exec", "tests/ipc", "tests/wait"]
  .concat("tests/process");

/** The tests that compare with the headers of each architecture that there is a compiler for. */
const COMPARISONS = ["tests/ffi", "tests/ipc/termios_test.ts"]
  .concat("tests/process/native_handler_test.ts");

/** How long the machine may run, and how long one file of tests. */
const MINUTES = 60;
const SECONDS_A_FILE = 400;

/** What the emulation cannot show. */
const UNSEEN = "what hardware alone shows: speed, and the order in which a " +
  "core sees what another one writes, which is stricter here";

const report: string[] = [];
let passed = 0;
let failed = 0;

await compareNumbers();
await runTests(Deno.args.length > 0 ? Deno.args : FOLDERS);
report.push(`NOT RUN  ${UNSEEN}`);
console.log(`\n${report.join("\n")}\n${passed} passed, ${failed} failed`);
Deno.exitCode = failed === 0 && passed > 0 ? 0 : 1;

async function compareNumbers(): Promise<void> {
  const name = "constants, layouts, errors, signals against C's headers";
  const absent = await missing(["aarch64-linux-gnu-gcc"]);
  if (absent.length > 0) return notRun(name, absent);
  Deno.chdir(fromFileUrl(new URL("../../", import.meta.url)));
  const args = ["test", "--no-check", "--allow-ffi", "--filter=/on aarch64$/"];
  const printed = await output(Deno.execPath(), [...args, ...COMPARISONS])
    .catch(String);
  console.log(printed);
  note(name, printed);
}

async function runTests(folders: readonly string[]): Promise<void> {
  const name = `the tests in ${folders.join(", ")}`;
  const programs = ["qemu-system-aarch64", "apt-get", "dpkg-deb", "npm"];
  const absent = await missing(programs);
  if (absent.length > 0) return notRun(name, absent);
  const system = await fetchSystem();
  const printed = await runOnMachine(system, commandFor(folders), MINUTES);
  const [kernel] = /^Linux \S+ aarch64/m.exec(printed) ?? ["no Linux"];
  const [deno] = /^deno \S+/m.exec(printed) ?? ["no Deno"];
  note(`${name} under ${kernel}, ${deno}, in emulation`, printed);
}

/** Runs each file of tests by itself: one that hangs costs its own time alone, and is named. */
function commandFor(folders: readonly string[]): string {
  return `deno --version
for file in $(find ${folders.join(" ")} -name '*_test.ts' | sort); do
  timeout -s KILL ${SECONDS_A_FILE} deno test --no-check --allow-ffi "$file"
  [ $? = 137 ] && echo "no end: $file"
done`;
}

function notRun(name: string, absent: readonly string[]): void {
  report.push(`NOT RUN  ${name}: no ${absent.join(", ")} on PATH`);
}

/** Adds up the summaries that `deno test` has printed; a file without one has failed, and so has a part without any. */
function note(name: string, printed: string): void {
  const lost = printed.match(/^no end: \S+/gm) ?? [];
  let [good, bad] = [0, lost.length];
  for (
    const [, more, worse] of printed.matchAll(/(\d+) passed.*\| (\d+) failed/g)
  ) {
    good += Number(more);
    bad += Number(worse);
  }
  const ignored = printed.matchAll(/\| (\d+) ignored/g)
    .reduce((sum, [, more]) => sum + Number(more), 0);
  if (good + bad === 0) bad = 1;
  passed += good;
  failed += bad;
  const result = `${good} passed, ${bad} failed, ${ignored} ignored`;
  report.push(`run      ${name}: ${result}`, ...lost);
}
