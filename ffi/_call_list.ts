import { addressOf } from "./_arguments.ts";
import {
  type Action,
  ARCHITECTURE,
  type Architecture,
  checkZero,
  lastError,
} from "./_libc.ts";
import {
  addressSymbols,
  callSymbols,
  mappingSymbols,
  memorySymbols,
} from "./_symbols.ts";
import {
  MAP_ANONYMOUS,
  MAP_PRIVATE,
  PROT_EXEC,
  PROT_READ,
  PROT_WRITE,
} from "./constants.ts";

/** Machine code for each architecture, in hexadecimal: what the assembler makes of the source that its test has. */
export type MachineCode = Readonly<Record<Architecture, string>>;

/** How far data lie behind code: a multiple of every page size. */
export const DATA_OFFSET = 65_536;

const MAP_FAILED = 0xffff_ffff_ffff_ffffn;

/**
 * Puts code into memory of its own, which is never writable and executable at once, nor ever given back, since nobody can tell
 * whether a thread is just about to enter it. Behind it, at {@linkcode DATA_OFFSET}, is as much memory for its data. Gives the address.
 */
export function loadMachineCode(code: MachineCode, action: Action): bigint {
  const libc = mappingSymbols();
  const address = libc.mmap(
    0n,
    BigInt(2 * DATA_OFFSET),
    PROT_READ | PROT_WRITE,
    MAP_PRIVATE | MAP_ANONYMOUS,
    -1,
    0n,
  );
  if (address === MAP_FAILED) throw lastError("mmap", action);
  const bytes = Uint8Array.from(
    code[ARCHITECTURE].match(/../g)!,
    (byte) => parseInt(byte, 16),
  );
  memorySymbols().store(address, bytes, BigInt(bytes.length));
  checkZero(
    libc.mprotect(address, BigInt(DATA_OFFSET), PROT_READ | PROT_EXEC),
    "mprotect",
    action,
  );
  return address;
}

type Name = Exclude<keyof ReturnType<typeof addressSymbols>, "address_of">;

let found: Readonly<Record<Name, bigint>> | undefined;

/** Where symbols of libc are: functions, for calls that are not made from JavaScript, and data; 0 for one that this glibc lacks. */
export function symbolAddresses(): Readonly<Record<Name, bigint>> {
  if (found !== undefined) return found;
  const { address_of, ...symbols } = addressSymbols();
  const nothing = new Uint8Array(new ArrayBuffer(1));
  return found = Object.fromEntries(
    Object.entries(symbols).map(([name, pointer]) => [
      name,
      pointer === null ? 0n : address_of(pointer, nothing, 0n),
    ]),
  ) as Record<Name, bigint>;
}

/**
 * What makes the calls, as the assembler makes it of the source in `tests/ffi/_call_list_test.ts`:
 *
 * ```c
 * struct call { long (*function)(); long arguments[6]; long skip; long result; };
 * int make(struct call *call, void *) {
 *   while (call->function) {
 *     call->result = call->function(call->arguments[0], …, call->arguments[5]);
 *     call = (int) call->result == 0 ? (char *) (call + 1) + call->skip : call + 1;
 *   }
 *   return 0;
 * }
 * ```
 */
export const MAKER_CODE: MachineCode = {
  x86_64: "f30f1efa534889fb488b034885c074354989c3488b7b08488b7310488b5318" +
    "488b4b204c8b43284c8b4b3031c041ffd348894340488b4b384883c34885c075c8" +
    "4801cbebc35bc3",
  aarch64: "fd7bbea9fd030091f30b00f9f30300aa680240f9680100b4608640a9628e41a9" +
    "649642a900013fd6602200f9691e40f973220191e0feff357302098bf5ffff17" +
    "000080d2f30b40f9fd7bc2a8c0035fd6",
};

/** The words of a call, in their order in memory. */
const WORDS = 9;
const ARGUMENT = 1;
const SKIP = 7;
const RESULT = 8;
const WORD = 8;
const INT = 4;
const CALL = WORDS * WORD;

/** An `int` as it lies in memory, for a call that takes its address. */
export function int(value: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(new ArrayBuffer(INT));
  new DataView(bytes.buffer).setInt32(0, value, true);
  return bytes;
}

const ZERO = int(0);

/** How much memory is made at once for calls to write to. */
const SLAB = 2048;

/** What any value that C knows may begin at. */
const ALIGNMENT = 16;

let slab = new ArrayBuffer(0);
let used = 0;

/**
 * Memory for calls to write to, zeroed. It lies close to what was given before: after a fork each page that is written to has to be
 * copied first, in the child and in the parent.
 */
export function callMemory(bytes: number): Uint8Array<ArrayBuffer> {
  if (used + bytes > slab.byteLength) {
    slab = new ArrayBuffer(Math.max(SLAB, bytes));
    used = 0;
  }
  const memory = new Uint8Array(slab, used, bytes);
  used += (bytes + ALIGNMENT - 1) & -ALIGNMENT;
  return memory;
}

/** What a call of the list gives, as an argument of a later one. */
export class CallResult {
  /** The call's place in its list. */
  readonly index: number;

  constructor(index: number) {
    this.index = index;
  }
}

/** An `int` that an earlier call of the list puts into memory, as an argument of a later one. */
export class CallOutput {
  /** The memory. */
  readonly bytes: Uint8Array<ArrayBuffer>;

  constructor(bytes: Uint8Array<ArrayBuffer>) {
    this.bytes = bytes;
  }
}

/** An argument for C: an integer or an address, memory that is not V8's to move, or what an earlier call of the list gives. */
export type CallArgument =
  | number
  | bigint
  | Uint8Array<ArrayBuffer>
  | CallResult
  | CallOutput;

/** A word of the list itself. */
class Place {
  readonly call: number;
  readonly word: number;

  constructor(call: number, word: number) {
    this.call = call;
    this.word = word;
  }
}

interface Call {
  readonly target: bigint;
  readonly arguments: readonly (CallArgument | Place)[];
  /** How many calls are passed over where this one gives 0. */
  skip: number;
}

/**
 * Calls of C functions that are made one after another by machine code, with no JavaScript in between.
 *
 * In JavaScript every call is surrounded by things that V8 does: it takes memory, looks whether to compile something, writes
 * to pages all over its heap. For most calls that is of no account. Between what a fork has to look at and the fork itself it is: what
 * was seen would not be so any more; and in the child, where each page that is written to must be copied first, it takes ten
 * times as long as the calls.
 *
 * `errno` is lost on the way: a list copies it, where it matters, by a call of `memcpy`. A result of 0, of which the lower 32
 * bits count, can pass over some calls, and so a `fork` goes two ways.
 */
export class CallList {
  readonly #calls: Call[] = [];
  readonly #kept: unknown[] = [];
  #words = new BigInt64Array();
  /** The same as words of half the size. */
  #ints = new Int32Array();
  #address = 0n;

  /** Adds a call. */
  call(target: bigint, ...values: readonly CallArgument[]): CallResult {
    let later = values.filter(isLate).length;
    for (const [position, value] of values.entries()) {
      if (!isLate(value)) continue;
      // It is put in its place by a call of its own, right before.
      const place = new Place(this.#calls.length + later, ARGUMENT + position);
      later--;
      const [source, size] = value instanceof CallResult
        ? [new Place(value.index, RESULT), WORD]
        : [value.bytes, INT];
      this.#add(symbolAddresses().memcpy, [place, source, size]);
    }
    return this.#add(target, values);
  }

  /** Has the calls that `body` adds passed over where a call has given this `int`. */
  unless({ index }: CallResult, value: number, body: () => void): void {
    const place = new Place(index, RESULT);
    const { memcmp } = symbolAddresses();
    this.unlessZero(this.#add(memcmp, [place, int(value), INT]), body);
  }

  /** Has the calls that `body` adds passed over where the call, which is the latest, gives 0. */
  unlessZero({ index }: CallResult, body: () => void): void {
    const start = this.#calls.length;
    body();
    this.#calls[index]!.skip = this.#calls.length - start;
  }

  /** Has the calls that `body` adds passed over where a byte in memory is 0. */
  whereSet(byte: CallArgument, body: () => void): void {
    const { memcmp } = symbolAddresses();
    this.unlessZero(this.#add(memcmp, [byte, ZERO, 1]), body);
  }

  /** Ends where the call, which is the latest, does not give 0. */
  endUnlessZero(call: CallResult): void {
    this.unlessZero(call, () => this.end());
  }

  /** Adds an end: what follows is only reached by passing this over. */
  end(): void {
    this.#add(0n, []);
  }

  /** Makes ready for the calls; the list cannot grow any more. */
  prepare(): void {
    if (this.#words.length === 0) this.#write();
    callMaker();
  }

  /**
   * Puts the list at an address, for others to have the calls made: gives the function that they are to call, and with which argument.
   * That is for memory that outlasts V8, which frees all that is its own when it ends; nothing else of the list can be used any more.
   */
  putAt(address: bigint): { entry: bigint; argument: bigint } {
    this.#write(address);
    memorySymbols().store(address, this.#words, BigInt(this.#words.byteLength));
    return { entry: callMaker(), argument: address };
  }

  /** Makes the calls. */
  run(): void {
    if (maker === undefined || this.#words.length === 0) this.prepare();
    callFunction(maker!, this.#address);
  }

  /**
   * Has V8 optimize the way into C, once, in some 4 ms.
   *
   * Only from machine code of its own does V8 go straight there. Else it goes by way of Deno, which takes a dozen pages of code
   * more on the way back, and a forked child has to find each of its pages anew: as long as fifty calls of the kernel.
   */
  static optimize(): void {
    if (optimized) return;
    optimized = true;
    const nothing = new CallList();
    nothing.prepare();
    const { rounds, calls, laps, speedUp } = OPTIMIZING;
    // V8 would take that function into those that call it, and optimize them but half, were it the only one that they have called.
    way = nowhere;
    nothing.run();
    way = straight;
    // For the same reason by way of V8's own loop.
    const time = (laps: number) => {
      const call = straight.bind(null, maker!, nothing.#address, laps);
      const started = performance.now();
      Array(calls).fill(0).forEach(call);
      return performance.now() - started;
    };
    // The first ones find out where everything is.
    time(0);
    const slow = time(0);
    for (let round = 0; round < rounds && time(0) * speedUp > slow; round++) {
      time(laps);
    }
  }

  /** What a call has given the last time, as an `int`. */
  result({ index }: CallResult): number {
    return this.#ints[(index * WORDS + RESULT) * 2]!;
  }

  /** Changes an argument: an integer of 32 bits, an address, or memory, which is the caller's to keep until it was used. */
  set(
    { index }: CallResult,
    position: number,
    value: number | bigint | Uint8Array<ArrayBuffer>,
  ): void {
    if (this.#words.length === 0) this.#write();
    const at = index * WORDS + ARGUMENT + position;
    if (typeof value === "number") {
      this.#ints[2 * at] = value;
      this.#ints[2 * at + 1] = value < 0 ? -1 : 0;
    } else if (typeof value === "bigint") this.#words[at] = value;
    else {
      this.#words[at] = addressOf(value.buffer) + BigInt(value.byteOffset);
    }
  }

  #add(
    target: bigint,
    values: readonly (CallArgument | Place)[],
  ): CallResult {
    this.#calls.push({ target, arguments: values, skip: 0 });
    return new CallResult(this.#calls.length - 1);
  }

  #write(address?: bigint): void {
    this.end();
    const buffer = new ArrayBuffer(this.#calls.length * CALL);
    this.#words = new BigInt64Array(buffer);
    this.#ints = new Int32Array(buffer);
    this.#address = address ?? addressOf(buffer);
    const addresses = new Map<ArrayBuffer, bigint>();
    for (const [index, call] of this.#calls.entries()) {
      const at = index * WORDS;
      this.#words[at] = call.target;
      for (const [position, value] of call.arguments.entries()) {
        this.#words[at + ARGUMENT + position] = this.#encode(value, addresses);
      }
      this.#words[at + SKIP] = BigInt(call.skip * CALL);
    }
  }

  #encode(
    value: CallArgument | Place,
    addresses: Map<ArrayBuffer, bigint>,
  ): bigint {
    if (isLate(value)) return 0n;
    if (value instanceof Place) {
      return this.#address + BigInt(value.call * CALL + value.word * WORD);
    }
    if (value instanceof Uint8Array) {
      const { buffer, byteOffset } = value;
      this.#kept.push(buffer);
      let address = addresses.get(buffer);
      if (address === undefined) {
        address = addressOf(buffer);
        addresses.set(buffer, address);
      }
      return address + BigInt(byteOffset);
    }
    return BigInt.asIntN(64, BigInt(value));
  }
}

/** In how many rounds at most of how many calls, with so much to count in each; and how many times faster they are then at least. */
const OPTIMIZING = { rounds: 40, calls: 500, laps: 20, speedUp: 3 } as const;

let optimized = false;

/** Calls the C function at an address with one argument, a word. What it gives is lost. */
export function callFunction(address: bigint, argument: bigint): void {
  way(address, argument, 0);
}

type Way = (address: bigint, argument: bigint, laps: number) => void;

let bsearch: ReturnType<typeof callSymbols>["bsearch"] | undefined;

/** The way into C, after so many laps: for {@linkcode CallList.optimize}, as V8 counts what runs. */
const straight: Way = (address, argument, laps) => {
  let lap = 0;
  while (lap < laps) lap++;
  bsearch ??= callSymbols().bsearch;
  // libc calls it once, to compare what is sought with the one element that there is.
  bsearch(argument, argument, 1n, 8n, address);
};

const nowhere: Way = () => {};

let way = straight;

let maker: bigint | undefined;

function callMaker(): bigint {
  return maker ??= loadMachineCode(MAKER_CODE, () => "Cannot make calls");
}

function isLate(value: unknown): value is CallResult | CallOutput {
  return value instanceof CallResult || value instanceof CallOutput;
}
