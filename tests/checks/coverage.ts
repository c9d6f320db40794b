/**
 * Runs all tests, and says how many of the library's lines they have run, file by file where it is few.
 *
 * Run as `deno task coverage`; arguments choose other tests than all. Programs that the tests start are counted as well, if they end
 * as programs of Deno do: Deno writes down what has run when it ends. What runs in forked children alone is not, since they
 * are mostly ended by `_exit`, nor is what `exec` replaces.
 *
 * @module
 */

import { fromFileUrl } from "@std/path";

/** Percent of all lines. */
const THRESHOLD = 90;

const folders = ["exec", "ffi", "ipc", "process", "wait"];
const testFolders = [...folders, "examples"].map((name) => `tests/${name}`);
const decoder = new TextDecoder();
const directory = await Deno.makeTempDir();
const data = `${directory}/data`;

/** A copy of the repository, so that nobody's edits come between the run and the counting. */
const root = `${directory}/library/`;

/** With a cache of its own, which nobody else locks. */
const env = { DENO_DIR: `${directory}/cache` };

/** What is known of a file's lines. */
interface Lines {
  readonly file: string;
  readonly count: number;
  readonly missed: readonly number[];
}

try {
  await copyRepository();
  const passed = await runTests();
  const covered = await linesOf();
  const enough = report(covered, await notLoaded(covered));
  if (!passed) console.log("The tests have failed.");
  Deno.exitCode = passed && enough ? 0 : 1;
} finally {
  await Deno.remove(directory, { recursive: true });
}

async function copyRepository(): Promise<void> {
  const source = fromFileUrl(new URL("../../", import.meta.url));
  const names = [...Deno.readDirSync(source)].map(({ name }) => name)
    .filter((name) => !name.startsWith("."));
  await Deno.mkdir(root);
  const { success } = await new Deno.Command("cp", {
    args: ["-R", ...names.map((name) => source + name), root],
  }).spawn().status;
  if (!success) throw new Error("The repository cannot be copied");
}

/** Runs the tests, with their programs, so that they write down what has run; gives whether they pass. */
async function runTests(): Promise<boolean> {
  const args = ["test", "--no-check", "--allow-ffi", "--reporter=dot"]
    .concat(`--coverage=${data}`, "--coverage-raw-data-only");
  let passed = true;
  // Folder by folder, as what is counted is kept in memory until the end.
  for (const folder of Deno.args.length > 0 ? Deno.args : testFolders) {
    const { success } = await new Deno.Command(Deno.execPath(), {
      args: [...args, folder],
      cwd: root,
      env: { ...env, DENO_COVERAGE_DIR: data },
    }).spawn().status;
    passed &&= success;
  }
  return passed;
}

async function linesOf(): Promise<Lines[]> {
  const base = new URL(`file://${root}`).href;
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["coverage", "--lcov", data]
      .concat(`--include=^${base}(mod\\.ts|(${folders.join("|")})/)`),
    cwd: root,
    env,
  }).output();
  console.error(decoder.decode(stderr));
  if (!success) throw new Error("deno coverage has failed");
  return decoder.decode(stdout).split("end_of_record").slice(0, -1)
    .map((record) => {
      const lines = record.matchAll(/^DA:(\d+),(\d+)/gm).toArray();
      return {
        file: /^SF:(.*)$/m.exec(record)![1]!.slice(root.length),
        count: lines.length,
        missed: lines.filter(([, , times]) => times === "0")
          .map(([, line]) => Number(line)),
      };
    });
}

/** The files with code that nothing has loaded. */
async function notLoaded(covered: readonly Lines[]): Promise<string[]> {
  const known = new Set(covered.map(({ file }) => file));
  const missing: string[] = [];
  const look = async (folder: string) => {
    for await (const { name, isDirectory } of Deno.readDir(root + folder)) {
      const path = `${folder}/${name}`;
      if (isDirectory) await look(path);
      else if (!known.has(path)) {
        const text = await Deno.readTextFile(root + path);
        // One that has types only leaves nothing to be loaded.
        if (/^(export )?(async )?(function|class|const|let) /m.test(text)) {
          missing.push(path);
        }
      }
    }
  };
  for (const folder of folders) await look(folder);
  return missing;
}

/** Prints it; gives whether it is enough. */
function report(
  covered: readonly Lines[],
  missing: readonly string[],
): boolean {
  const count = covered.reduce((sum, { count }) => sum + count, 0);
  const missed = covered.reduce((sum, { missed }) => sum + missed.length, 0);
  const low = covered
    .map((lines) => ({ ...lines, share: percent(lines) }))
    .filter(({ share }) => share < THRESHOLD)
    .toSorted((a, b) => a.share - b.share);
  console.log(`\nFiles below ${THRESHOLD} %, and the lines that did not run:`);
  for (const { file, share, missed } of low) {
    console.log(`${share.toFixed(1).padStart(5)} % ${file}: ${ranges(missed)}`);
  }
  for (const file of missing) console.log(`  0.0 % ${file}: never loaded`);
  const total = 100 * (1 - missed / count);
  console.log(
    `${total.toFixed(1)} % of ${count} lines in ${covered.length} files`,
  );
  return total >= THRESHOLD && missing.length === 0;
}

function percent({ count, missed }: Lines): number {
  return count === 0 ? 100 : 100 * (1 - missed.length / count);
}

/** `3-5, 9` for 3, 4, 5 and 9. */
function ranges(numbers: readonly number[]): string {
  const found: [first: number, last: number][] = [];
  for (const number of numbers) {
    const last = found.at(-1);
    if (last?.[1] === number - 1) last[1] = number;
    else found.push([number, number]);
  }
  return found.map(([first, last]) =>
    first === last ? `${first}` : `${first}-${last}`
  ).join(", ");
}
