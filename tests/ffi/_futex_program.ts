/** Waits for words of memory that nobody ever wakes: prints how the one that keeps the program alive ends, and ends with it. */

import {
  MAP_ANONYMOUS,
  MAP_SHARED,
  PROT_READ,
  PROT_WRITE,
} from "../../ffi/constants.ts";
import { futexWaitAsync } from "../../ffi/_locks.ts";
import { mapMemory } from "../../ffi/_memory.ts";

const flags = MAP_SHARED | MAP_ANONYMOUS;
const words = new Int32Array(mapMemory(-1, 64, PROT_READ | PROT_WRITE, flags));
const never = () => console.log("an idle wait has ended");
futexWaitAsync(words, 0, 0, Infinity, false).outcome.then(never);
const second = futexWaitAsync(words, 1, 0, Infinity);
second.outcome.then(never);
second.reference(false);
const third = futexWaitAsync(words, 2, 0, 50, false);
third.outcome.then(console.log);
third.reference(true);
