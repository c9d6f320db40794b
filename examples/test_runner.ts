/**
 * A test runner that loads a heavy module once, then runs each test file in a fork of the warm process.
 *
 * Each file finds the module loaded, and as if it were alone in the world: what one changes, the others do not see. That
 * isolation costs a fork, not a start. A file that ends its process, or is killed, takes nobody with it.
 *
 * Run it: deno task example:test-runner
 */
import { forkChild, getpid } from "../process/mod.ts";
import { dictionary, loads } from "./test_runner/heavy.ts";

const files = {
  "adds a word": () => import("./test_runner/adds_a_word.ts"),
  "sees no other's words": () =>
    import("./test_runner/sees_no_others_words.ts"),
  "fails": () => import("./test_runner/fails.ts"),
  "ends its process": () => import("./test_runner/ends_its_process.ts"),
};

console.log(`PID ${getpid()} has loaded ${dictionary.size} words`);
let failed = 0;
for (const [name, load] of Object.entries(files)) {
  const child = await forkChild(async () => {
    await load();
    console.log(`PID ${getpid()}, module loaded ${loads.count} time(s)`);
  }, { stdout: "piped", stderr: "piped" });
  const { success, signal, code, stdout, stderr } = await child.output();
  const said = new TextDecoder().decode(success ? stdout : stderr).trim();
  const how = success ? "ok" : `FAILED (${signal ?? `exit code ${code}`})`;
  console.log(`${name} ... ${how} ${said.split("\n")[0]}`.trimEnd());
  if (!success) failed++;
}
console.log(
  `${Object.keys(files).length - failed} passed, ${failed} failed; ` +
    `${dictionary.size} words as before`,
);
