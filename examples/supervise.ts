/**
 * A supervisor: it keeps programs alive, starts those that end again, later and later if they end at once, and stops all of
 * them cleanly on SIGINT or SIGTERM. On a terminal it shows a table, elsewhere a line for each thing that happens.
 *
 * Mirrors subprocess.Popen() in a loop in Python. Run it: deno task example:supervise [copies] [program] [arguments]
 */
import { type ChildProcess, spawn } from "../exec/mod.ts";
import { isatty } from "../ipc/mod.ts";

const [copies = "3", program = "sh", ...args] = Deno.args;
const command = Deno.args.length > 1
  ? args
  : ["-c", "sleep $(($$ % 3 + 1)); exit $(($$ % 2))"];

const SHORTEST_MS = 100;
const LONGEST_MS = 5000;
/** One that has lived so long counts as well, and is started again without delay. */
const WELL_MS = 1000;

const live = isatty(1);
const stop = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  Deno.addSignalListener(signal, () => stop.abort());
}

/** A place for one program, and what the table says of it. */
class Place {
  readonly number: number;
  pid = 0;
  restarts = 0;
  state = "";

  constructor(number: number) {
    this.number = number;
  }

  tell(state: string): void {
    this.state = state;
    if (live) drawTable();
    else console.log(`${this.number}: ${state}`);
  }
}

const places = Array.from(
  { length: Number(copies) },
  (_, index) => new Place(index + 1),
);

async function keepAlive(place: Place): Promise<void> {
  let delay = SHORTEST_MS;
  for (; !stop.signal.aborted; place.restarts++) {
    const started = performance.now();
    // The signal ends the program too: SIGTERM, and SIGKILL if that is not enough.
    await using child = spawn(program, command, {
      stdin: "null",
      ...(live ? { stdout: "null", stderr: "null" } : {}),
      signal: stop.signal,
      killGrace: 2000,
    });
    place.pid = child.pid;
    place.tell(`running as PID ${child.pid}`);
    const how = ending(await child.status);
    place.pid = 0;
    if (stop.signal.aborted) place.tell(`stopped, ${how}`);
    else {
      const lived = performance.now() - started;
      delay = lived > WELL_MS ? SHORTEST_MS : Math.min(delay * 2, LONGEST_MS);
      place.tell(`ended, ${how}; again in ${delay} ms`);
      await pause(delay);
    }
  }
}

function ending({ signal, code }: Awaited<ChildProcess["status"]>): string {
  return signal === null ? `exit code ${code}` : `by ${signal}`;
}

/** Waits, but no longer than until everything is to stop. */
async function pause(milliseconds: number): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const over = () => resolve();
  const timer = setTimeout(over, milliseconds);
  stop.signal.addEventListener("abort", over);
  await promise;
  clearTimeout(timer);
  stop.signal.removeEventListener("abort", over);
}

let drawn = 0;

function drawTable(): void {
  const rows = places.map(({ number, pid, restarts, state }) =>
    `${number}`.padStart(3) + `${pid || "-"}`.padStart(9) +
    `${restarts}`.padStart(10) + `  ${state}`
  );
  const lines = [" No.     PID  restarts  state", ...rows];
  const up = drawn > 0 ? `\x1b[${drawn}A` : "";
  const text = lines.map((line) => `\x1b[2K${line}\n`).join("");
  Deno.stdout.writeSync(new TextEncoder().encode(up + text));
  drawn = lines.length;
}

await Promise.all(places.map(keepAlive));
console.log("all stopped");
Deno.exit();
