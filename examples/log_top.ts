/**
 * Who says most in a journal: its text goes through five programs, and what comes out is drawn as bars.
 *
 * Mirrors `sed … | sort | uniq -c | sort -rn | head`. Run it: deno task example:log-top [file, or - for standard input]
 */
import { pipeline, type SpawnStream } from "../exec/mod.ts";

const NAME =
  "s/^[A-Z][a-z]{2} [ 0-9]{2} [0-9:]{8} [^ ]+ ([A-Za-z0-9_.-]+).*/\\1/p";
const WIDTH = 40;

const [file] = Deno.args;
const isPath = (name: string): name is `${string}/${string}` =>
  name.includes("/");

/** Where the journal comes from; without an argument it is made up here. */
function source(): SpawnStream {
  if (file === undefined) return "piped";
  if (file === "-") return "inherit";
  return isPath(file) ? file : `./${file}`;
}

const SERVICES = ["kernel", "sshd", "cron", "systemd", "nginx", "postgres"];

function* journal(lines: number): Generator<string> {
  for (let i = 0; i < lines; i++) {
    // Low ones come up more often: 21 parts for the first, 1 for the last.
    const part = (i * 7919) % 56;
    const service = SERVICES[
      [20, 34, 44, 50, 54].filter((end) => part > end).length
    ];
    const time = new Date(i * 1000).toISOString().slice(11, 19);
    yield `Nov 23 ${time} host ${service}[${100 + i}]: message ${i}\n`;
  }
}

await using top = pipeline(
  ["sed", "-nE", NAME],
  ["sort"],
  ["uniq", "-c"],
  ["sort", "-k1,1nr", "-k2"],
  ["head", "-n", "10"],
  { stdin: source() },
);

async function feed(): Promise<void> {
  if (file !== undefined) return;
  await ReadableStream.from(journal(56_000))
    .pipeThrough(new TextEncoderStream()).pipeTo(top.stdin);
}

async function draw(): Promise<void> {
  let most = 0;
  for await (const line of top.lines()) {
    const [count, name] = line.trim().split(" ");
    most ||= Number(count);
    const bar = "█".repeat(
      Math.max(1, Math.round(Number(count) / most * WIDTH)),
    );
    console.log(`${name!.padEnd(12)} ${bar} ${count}`);
  }
}

await Promise.all([feed(), draw()]);
const { failed } = await top.status;
if (failed.length > 0) {
  console.error(`log-top: failed: program ${failed.join(", ")}`);
  Deno.exitCode = 1;
}
