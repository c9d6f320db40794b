import { type Action, checkZero, lastError } from "./_libc.ts";
import { mappingSymbols } from "./_symbols.ts";

/** What `mmap` gives where it fails. */
const MAP_FAILED = 0xffff_ffff_ffff_ffffn;

/**
 * Memory that `mmap` has made, and the buffer through which JavaScript reaches it.
 *
 * Unmapping it under those who use it would end the process. So the buffer is detached first, which makes every use of it an
 * exception; and the memory itself stays as long as somebody has it pinned: a thread that sleeps on it, a lock that is held in it.
 */
export class Mapping {
  /** Where it begins. */
  readonly address: bigint;
  /** Its length in bytes. */
  readonly bytes: number;
  #buffer: ArrayBuffer;
  #detached = false;
  #pins = 0;

  constructor(address: bigint, bytes: number) {
    this.address = address;
    this.bytes = bytes;
    const pointer = Deno.UnsafePointer.create(address)!;
    this.#buffer = Deno.UnsafePointerView.getArrayBuffer(pointer, bytes);
    mappings.set(this.#buffer, this);
  }

  /** The memory; of length 0 once it is detached. */
  get buffer(): ArrayBuffer {
    return this.#buffer;
  }

  /** Whether {@linkcode unmapMemory} was called. */
  get detached(): boolean {
    return this.#detached;
  }

  /** Keeps the memory where it is until {@linkcode unpin} is called as many times. */
  pin(): void {
    this.#pins++;
  }

  /** Takes one pin back; the last one of a buffer that is detached unmaps the memory. */
  unpin(): void {
    if (--this.#pins === 0 && this.#detached) this.#unmap();
  }

  /** Makes the buffer unusable, and unmaps the memory as soon as nothing pins it. */
  detach(): void {
    if (this.#detached) return;
    this.#detached = true;
    // The memory goes over to a buffer that nobody has. Nothing is copied, and collecting that one frees nothing.
    this.#buffer.transfer();
    if (this.#pins === 0) this.#unmap();
  }

  #unmap(): void {
    checkZero(
      mappingSymbols().munmap(this.address, BigInt(this.bytes)),
      "munmap",
      () => "Cannot unmap memory",
    );
  }
}

const mappings = new WeakMap<ArrayBufferLike, Mapping>();

/**
 * `mmap(NULL, bytes, protection, flags, fd, offset)`: maps a file, or with `MAP_ANONYMOUS` and -1 none, as a buffer.
 *
 * Whoever touches what lies beyond the end of the file gets SIGBUS: compare the sizes first. The buffer lasts until
 * {@linkcode unmapMemory}, collected or not.
 */
export function mapMemory(
  fd: number,
  bytes: number,
  protection: number,
  flags: number,
  offset = 0,
  action: Action = () => `Cannot map ${bytes} bytes`,
): ArrayBuffer {
  const length = BigInt(bytes);
  const start = BigInt(offset);
  const address = mappingSymbols()
    .mmap(0n, length, protection, flags, fd, start);
  if (address === MAP_FAILED) throw lastError("mmap", action);
  try {
    return new Mapping(address, bytes).buffer;
  } catch (error) {
    // To make a buffer of an address takes a permission for all of FFI.
    mappingSymbols().munmap(address, length);
    throw error;
  }
}

/** `munmap(address, bytes)`: detaches the buffer, then unmaps its memory, at once or when nothing pins it any more; twice without harm. */
export function unmapMemory(buffer: ArrayBufferLike): void {
  mappingOf(buffer).detach();
}

/** The mapping behind a buffer, detached or not. */
export function mappingOf(buffer: ArrayBufferLike): Mapping {
  const mapping = mappings.get(buffer);
  if (mapping === undefined) {
    throw new TypeError("'buffer' must be memory that was mapped");
  }
  return mapping;
}

/** The mapping behind a buffer; `undefined` where the memory is V8's own, which stays as long as it is referred to. */
export function findMapping(buffer: ArrayBufferLike): Mapping | undefined {
  return mappings.get(buffer);
}

/** `mprotect(address, bytes, protection)`: changes what may be done with the memory. What is not allowed ends the process. */
export function protectMemory(buffer: ArrayBuffer, protection: number): void {
  const { address, bytes } = mappingOf(buffer);
  checkZero(
    mappingSymbols().mprotect(address, BigInt(bytes), protection),
    "mprotect",
    () => "Cannot protect memory",
  );
}

/** `msync(address, bytes, flags)`: has what was written to memory written to its file. */
export function syncMemory(buffer: ArrayBuffer, flags: number): void {
  const { address, bytes } = mappingOf(buffer);
  checkZero(
    mappingSymbols().msync(address, BigInt(bytes), flags),
    "msync",
    () => "Cannot write memory to its file",
  );
}
