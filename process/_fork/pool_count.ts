import { O_CLOEXEC, O_RDWR } from "../../ffi/constants.ts";
import { cString } from "../../ffi/_c_strings.ts";
import { descriptorSymbols, procSymbols } from "../../ffi/_symbols.ts";
import { readProc } from "./proc_file.ts";

/** How many threads Deno's pool has at most. */
const CAP = 32;

/** From how many threads on, those of the ancestors included, it matters that a child's pool takes them for its own. */
const MANY = 12;

/** How often to look for the words before it is given up: it takes some 20 ms. */
const ATTEMPTS = 3;

/** What the main thread of glibc's `malloc` lives on, or other threads do: 64 MiB at most, and as much apart. */
const ARENA = 64n << 20n;

/** The words: cap, threads, idle threads, tasks that wait. Each takes eight bytes, of which four are always 0. */
const WORDS = 4;

/**
 * Tokio's own count of its pool's threads, which a forked child takes over though it has none of them.
 *
 * A pool makes no more than 32 threads, so the child of a parent that has as many would never do anything on its pool, nor
 * would the eighth generation of a family in which each has but four. The count stands in memory between the cap and the
 * number of idle threads. It is told from whatever else looks like it by its change: before the threads are parked some
 * are idle, afterwards none. What is not found beyond doubt is left alone, and then the pool is what it was.
 *
 * All goes through `/proc/self/mem`: an address that is no longer there gives an error, and no fault.
 */
class PoolCount {
  #address: number | undefined;
  #candidates: number[] = [];
  #attempts = 0;
  /** The threads of ancestors, which the pool still counts. */
  #gone = 0;
  #present = 0;

  /** In the parent, with the pool's threads at rest and some of them idle: looks for the words, if it matters. */
  survey(threads: number): void {
    if (this.#address !== undefined || this.#candidates.length > 0) return;
    if (threads + this.#gone < MANY || this.#attempts >= ATTEMPTS) return;
    this.#attempts++;
    withMemory(O_CLOEXEC, (memory) => {
      for (const { start, end } of heaps()) this.#scan(memory, start, end);
    });
  }

  /** In the parent, with none of them idle any more: sees which of the words have changed accordingly. */
  confirm(threads: number): void {
    this.#present = threads;
    if (this.#candidates.length === 0) return;
    withMemory(O_CLOEXEC, (memory) => {
      const found = this.#candidates.filter((address) =>
        readAt(memory, address) && isCount(0, 0)
      );
      if (found.length === 1) this.#address = found[0];
    });
    this.#candidates = [];
  }

  /** In the child: has its pool count none. */
  reset(): void {
    const address = this.#address;
    let done = false;
    if (address !== undefined) {
      withMemory(O_RDWR | O_CLOEXEC, (memory) => {
        if (!readAt(memory, address) || !isCount(0, 0)) return;
        const { lseek, write } = descriptorSymbols();
        lseek(memory, BigInt(address + 8), 0);
        done = write(memory, NONE, 8n) === 8;
      });
    }
    this.#gone = done ? 0 : this.#gone + this.#present;
    this.#candidates = [];
  }

  #scan(memory: number, start: number, end: number): void {
    const last = chunk.length - WORDS * 2;
    for (let at = start; at < end; at += last * 4) {
      const count = procSymbols()
        .pread(memory, chunkBytes, BigInt(chunkBytes.length), BigInt(at));
      const length = Math.min(last, (count >> 2) - WORDS * 2 + 2);
      for (let i = 0; i < length; i += 2) {
        if (chunk[i] === CAP && isCount(i, 1)) {
          this.#candidates.push(at + i * 4);
        }
      }
    }
  }
}

const chunkBytes = new Uint8Array(new ArrayBuffer(1 << 16));
const chunk = new Int32Array(chunkBytes.buffer);
const NONE = new Uint8Array(new ArrayBuffer(8));

/** Whether the chunk has the words at an offset: no task waits, and at least that many threads are idle. */
function isCount(at: number, idle: number): boolean {
  for (let odd = 1; odd < WORDS * 2; odd += 2) {
    if (chunk[at + odd] !== 0) return false;
  }
  const threads = chunk[at + 2]!;
  return chunk[at] === CAP && threads >= 1 && threads <= CAP &&
    chunk[at + 6] === 0 && chunk[at + 4]! >= idle &&
    chunk[at + 4]! <= (idle === 0 ? 0 : threads);
}

function readAt(memory: number, address: number): boolean {
  const { pread } = procSymbols();
  const size = WORDS * 8;
  return pread(memory, chunkBytes, BigInt(size), BigInt(address)) === size;
}

/** Where `malloc` keeps things: lies within writable mappings without a file. */
function heaps(): { start: number; end: number }[] {
  return readProc("/proc/self/maps").split("\n").flatMap((line) => {
    const match = /^([0-9a-f]+)-([0-9a-f]+) rw-p \S+ \S+ 0\s*(\S*)$/.exec(line);
    if (match === null) return [];
    const [start, end] = [BigInt(`0x${match[1]}`), BigInt(`0x${match[2]}`)];
    const isHeap = match[3] === "[heap]" ||
      match[3] === "" && start % ARENA === 0n && end - start <= ARENA;
    return isHeap ? [{ start: Number(start), end: Number(end) }] : [];
  });
}

/** Does something with the memory of this process as a file; nothing where that cannot be opened. */
function withMemory(flags: number, action: (fd: number) => void): void {
  const fd = descriptorSymbols()
    .open(cString("/proc/self/mem", "path"), flags, 0);
  if (fd === -1) return;
  try {
    action(fd);
  } finally {
    descriptorSymbols().close(fd);
  }
}

/** The one of this thread's runtime. */
export const poolCount: PoolCount = new PoolCount();
