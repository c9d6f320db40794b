import { rehearsing } from "../../ffi/_after_fork.ts";
import { O_RDONLY, O_RDWR } from "../../ffi/constants.ts";
import { type Mapping, mappings, OwnMemory } from "./own_memory.ts";

/** How many threads Deno's pool has at most. */
const CAP = 32;

/** From how many threads on, those of the ancestors included, it matters that a child's pool takes them for its own. */
const MANY = 12;

/** How often to look for the words before it is given up: it takes some 20 ms. */
const ATTEMPTS = 3;

/** What the main thread of glibc's `malloc` lives on, or other threads do: 64 MiB at most, and as much apart. */
const ARENA = 64n << 20n;

/** The words: cap, threads, idle threads, tasks that wait. Each takes eight bytes, of which four are always 0: two words of four. */
const WIDTH = 8;

/**
 * Tokio's own count of its pool's threads, which a forked child takes over though it has none of them.
 *
 * A pool makes no more than 32 threads, so the child of a parent that has as many would never do anything on its pool, nor
 * would the eighth generation of a family in which each has but four. The count stands in memory between the cap and the
 * number of idle threads. It is told from whatever else looks like it by its change: before the threads are parked some
 * are idle, afterwards none. What is not found beyond doubt is left alone, and then the pool is what it was.
 */
class PoolCount {
  #address: bigint | undefined;
  #candidates: bigint[] = [];
  #attempts = 0;
  /** The threads of ancestors, which the pool still counts. */
  #gone = 0;
  #present = 0;

  /** In the parent, with the pool's threads at rest and some of them idle: looks for the words, if it matters. */
  survey(threads: number): void {
    if (this.#address !== undefined || this.#candidates.length > 0) return;
    if (threads + this.#gone < MANY || this.#attempts >= ATTEMPTS) return;
    this.#attempts++;
    withMemory(O_RDONLY, (memory) => {
      for (const heap of mappings().filter(isHeap)) this.#scan(memory, heap);
    });
  }

  /** Whether a pool with that many threads makes no more of them. */
  isFull(threads: number): boolean {
    return threads >= CAP;
  }

  /** In the parent, with none of them idle any more: sees which of the words have changed accordingly. */
  confirm(threads: number): void {
    this.#present = threads;
    if (this.#candidates.length === 0) return;
    withMemory(O_RDONLY, (memory) => {
      const found = this.#candidates.filter((address) =>
        isIdleFree(memory, address)
      );
      if (found.length === 1) this.#address = found[0];
    });
    this.#candidates = [];
  }

  /** In the child: has its pool count none. */
  reset(): void {
    if (rehearsing) return;
    const address = this.#address;
    let done = false;
    if (address !== undefined) {
      withMemory(O_RDWR, (memory) => {
        done = isIdleFree(memory, address) && memory.write(NONE, address + 8n);
      });
    }
    this.#gone = done ? 0 : this.#gone + this.#present;
    this.#candidates = [];
  }

  #scan(memory: OwnMemory, heap: Mapping): void {
    memory.scan(heap, WIDTH, (words, length, address) => {
      for (let at = 0; at < length; at += 2) {
        if (words[at] === CAP && isCount(words, at, 1)) {
          this.#candidates.push(address + BigInt(at * 4));
        }
      }
    });
  }
}

const found = new Uint32Array(new ArrayBuffer(WIDTH * 4));
const foundBytes = new Uint8Array(found.buffer);
const NONE = new Uint8Array(new ArrayBuffer(8));

/** Whether the words are there at an offset: no task waits, and at least that many threads are idle. */
function isCount(words: Uint32Array, at: number, idle: number): boolean {
  for (let odd = 1; odd < WIDTH; odd += 2) {
    if (words[at + odd] !== 0) return false;
  }
  const threads = words[at + 2]!;
  return words[at] === CAP && threads >= 1 && threads <= CAP &&
    words[at + 6] === 0 && words[at + 4]! >= idle &&
    words[at + 4]! <= (idle === 0 ? 0 : threads);
}

/** Whether the words are at an address, with no thread idle. */
function isIdleFree(memory: OwnMemory, address: bigint): boolean {
  return memory.read(foundBytes, address) && isCount(found, 0, 0);
}

/** Where `malloc` keeps things: lies within writable mappings without a file. */
function isHeap({ start, end, permissions, inode, name }: Mapping): boolean {
  return permissions === "rw-p" && inode === 0 &&
    (name === "[heap]" ||
      name === "" && start % ARENA === 0n && end - start <= ARENA);
}

/** Does something with the memory of this process; nothing where that cannot be opened. */
function withMemory(flags: number, action: (memory: OwnMemory) => void): void {
  let memory;
  try {
    memory = new OwnMemory(flags);
  } catch {
    return;
  }
  try {
    action(memory);
  } finally {
    memory.close();
  }
}

/** The one of this thread's runtime. */
export const poolCount: PoolCount = new PoolCount();
