/**
 * Forks right after V8 was given something to do for one of its threads, with all threads on one processor, so that now and then the
 * one that was called up has not come to it: a few times in a hundred. Says so if a child does not get to see it done.
 */
import {
  _exit,
  fork,
  schedGetaffinity,
  schedSetaffinity,
} from "../../process/mod.ts";
import { waitpid } from "../../wait/mod.ts";
import { directoryEntries } from "../_helpers.ts";

const FORKS = 200;
const DEADLINE = 10_000;
const EMPTY_MODULE = Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0);

const [cpu] = schedGetaffinity();
for (const tid of directoryEntries("/proc/self/task")) {
  if (Number(tid) > 0) schedSetaffinity([cpu!], Number(tid));
}
let lost = 0;
for (let i = 0; i < FORKS; i++) {
  const compiled = WebAssembly.compile(EMPTY_MODULE);
  const child = fork();
  if (child === 0) {
    setTimeout(() => _exit(1), DEADLINE);
    await compiled;
    _exit(0);
  }
  if (waitpid(child)?.raw !== 0) lost++;
  if (i % 20 === 0) await compiled;
}
console.log(`${lost} lost`);
