/**
 * Thousands of pseudo-terminals: opened and closed, with programs that end, that are killed while nobody reads, and hundreds at
 * once. Nothing may be left of them: no descriptor, no child. Prints figures, and at the end how many passed and failed.
 *
 * Run as `deno task soak:ptys [--rounds 1000]`.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { spawnPty } from "../../exec/mod.ts";
import { close, openpty } from "../../ipc/mod.ts";
import { openSignalDescriptors, withoutLeaks } from "../_helpers.ts";

const index = Deno.args.indexOf("--rounds");
const rounds = index === -1 ? 1000 : Number(Deno.args[index + 1]);
if (!Number.isInteger(rounds) || rounds < 1) {
  throw new RangeError("--rounds must be a whole number above 0");
}

/** A program that says which it is, and ends with that. */
async function whole(number: number): Promise<void> {
  const code = number % 256;
  const pty = spawnPty("sh", ["-c", `echo ${number}; exit ${code}`]);
  assertEquals(await pty.text(), `${number}\r\n`);
  assertEquals((await pty.status).code, code);
}

const jobs: Record<string, () => void | Promise<void>> = {
  [`${rounds} opened and closed`]() {
    for (let i = 0; i < rounds; i++) {
      const { controller, terminal } = openpty();
      close(controller);
      close(terminal);
    }
  },
  async [`${rounds} programs, one after the other`]() {
    for (let i = 0; i < rounds; i++) await whole(i);
  },
  async [`${rounds} programs that print without end, and are hung up`]() {
    for (let i = 0; i < rounds; i++) {
      const pty = spawnPty("yes");
      await pty[Symbol.asyncDispose]();
      assertEquals((await pty.status).success, false);
    }
  },
  async [`${rounds} programs, 100 at once`]() {
    for (let i = 0; i < rounds; i += 100) {
      const count = Math.min(100, rounds - i);
      await Promise.all(Array.from({ length: count }, (_, k) => whole(i + k)));
    }
  },
};

openSignalDescriptors();
let failed = 0;
for (const [name, job] of Object.entries(jobs)) {
  const started = performance.now();
  try {
    await withoutLeaks(job)();
    const each = (performance.now() - started) / rounds;
    console.log(`ok     ${name} (${each.toFixed(2)} ms each)`);
  } catch (error) {
    failed++;
    console.log(`FAILED ${name}: ${Deno.inspect(error)}`);
  }
}
console.log(`${Object.keys(jobs).length - failed} passed, ${failed} failed`);
Deno.exitCode = failed === 0 ? 0 : 1;
