import {
  CallList,
  DATA_OFFSET,
  loadMachineCode,
  type MachineCode,
  symbolAddresses,
} from "../../ffi/_call_list.ts";
import { ARCHITECTURE } from "../../ffi/_libc.ts";
import { memorySymbols } from "../../ffi/_symbols.ts";
/** How many virtual functions an object may have. */
export const VIRTUAL_FUNCTIONS = 11;

/**
 * What stands in for each of the virtual functions, as the assembler makes it of the source in `tests/process/first_call_test.ts`:
 *
 * ```c
 * long made; struct call *list; int (*make)(struct call *, void *); void *(**table)();
 * void *instead(…) {
 *   if (!atomic_exchange(&made, 1)) make(list, NULL);
 *   return table[number](…);
 * }
 * ```
 */
export const STAND_IN_CODE: MachineCode = {
  x86_64:
    "f30f1efa6a00eb50f30f1efa6a08eb48f30f1efa6a10eb40f30f1efa6a18eb38f30f1efa6a20eb30f30f1efa6a28eb28f30f1efa6a30eb20f30f1efa6a38eb18f30f1efa6a40eb10f30f1efa6a48eb08f30f1efa6a50eb0057565251415041514883ec10f20f110424b80100000087058cff000085c0750f488b3d89ff000031f6ff1589ff0000f20f1004244883c41041594158595a5e5f4c8b1d79ff00005841ff2403",
  aarch64:
    "5f2403d5100080d21f0000145f2403d5100180d21c0000145f2403d5100280d2190000145f2403d5100380d2160000145f2403d5100480d2130000145f2403d5100580d2100000145f2403d5100680d20d0000145f2403d5100780d20a0000145f2403d5100880d2070000145f2403d5100980d2040000145f2403d5100a80d201000014fd7bb9a9fd030091e00701a9e20f02a9e41703a9e61f04a9e84305a9e03300fde9fa07102a0080522bfd5f882afd0c88ccffff358b00003520a940a9010080d240013fd6e03340fde84345a9e61f44a9e41743a9e20f42a9e00741a9fd7bc7a8e9f80710290d40f9306970f800021fd6",
};

const WORD = 8;
/** How many bytes the code of one takes, before it goes on to what they have in common. */
const STAND_IN = { x86_64: 8, aarch64: 12 } as const;

/** What lies behind the code, in words: the first four are what the code knows by those names. */
const AT = { made: 0, list: 1, make: 2, table: 3, standIns: 4, first: 5 };

/** Where there is room for what the calls need, for the list that only puts back, and for that of the calls, in bytes. */
const ROOM = 256;
const NOTHING = 1024;
const CALLS = 4096;

/**
 * Calls that are made right before the first virtual function of certain C++ objects of one class is called, by whichever thread.
 *
 * Such an object begins with the address of a table of functions. It gets that of another, whose functions stand in for them: the
 * first that is called has the calls made, which put the old table back, and goes on to the function that was meant.
 */
export class FirstCall {
  readonly #objects: readonly bigint[];
  readonly #data: bigint;
  /** Where the list of the calls is, and that which only puts the tables back. */
  readonly #calls: bigint;
  readonly #nothing: bigint;

  /** For objects with that table; `body` adds the calls, for which there is room of 512 bytes. Nothing is changed yet. */
  constructor(
    objects: readonly bigint[],
    table: bigint,
    body: (list: CallList, room: bigint) => void,
  ) {
    this.#objects = objects;
    const code = loadMachineCode(STAND_IN_CODE, () => "Cannot fork");
    this.#data = code + BigInt(DATA_OFFSET);
    const [nothing, calls] = [new CallList(), new CallList()];
    this.#putBack(nothing);
    this.#putBack(calls);
    body(calls, this.#data + BigInt(ROOM));
    this.#nothing = nothing.putAt(this.#data + BigInt(NOTHING)).argument;
    const { entry, argument } = calls.putAt(this.#data + BigInt(CALLS));
    this.#calls = argument;
    this.#write(AT.made, 1n);
    this.#write(AT.make, entry);
    this.#write(AT.list, this.#calls);
    this.#write(AT.table, table);
    this.#write(AT.standIns, this.#at(AT.first));
    for (let index = 0; index < VIRTUAL_FUNCTIONS; index++) {
      const standIn = code + BigInt(index * STAND_IN[ARCHITECTURE]);
      this.#write(AT.first + index, standIn);
    }
  }

  /** By calls of a list: from then on the next call is the first. */
  await(list: CallList): void {
    const { memcpy, memset } = symbolAddresses();
    list.call(memset, this.#at(AT.made), 0, WORD);
    for (const object of this.#objects) {
      list.call(memcpy, object, this.#at(AT.standIns), WORD);
    }
  }

  /** By calls of a list: has nothing be done at the next call, after all. */
  forgo(list: CallList): void {
    list.call(symbolAddresses().memset, this.#at(AT.made), 1, 1);
  }

  /** Has the calls of a list that `body` adds made where these were, or are not awaited at all. */
  whereMade(list: CallList, body: () => void): void {
    list.whereSet(this.#at(AT.made), body);
  }

  /** Tries whether it comes to such a call, without anything else being done at it. */
  comesWith(body: () => void): boolean {
    const [before, after] = [new CallList(), new CallList()];
    const made = new Uint8Array(new ArrayBuffer(WORD));
    this.await(before);
    after.call(symbolAddresses().memcpy, made, this.#at(AT.made), WORD);
    this.#putBack(after);
    this.#write(AT.list, this.#nothing);
    try {
      before.run();
      body();
    } finally {
      after.run();
      this.#write(AT.list, this.#calls);
    }
    return made[0] === 1;
  }

  #putBack(list: CallList): void {
    for (const object of this.#objects) {
      list.call(symbolAddresses().memcpy, object, this.#at(AT.table), WORD);
    }
  }

  #at(word: number): bigint {
    return this.#data + BigInt(word * WORD);
  }

  #write(word: number, value: bigint): void {
    memorySymbols().store(this.#at(word), BigUint64Array.of(value), 8n);
  }
}
