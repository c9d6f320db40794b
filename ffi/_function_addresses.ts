import { addressSymbols } from "./_symbols.ts";

type Name = Exclude<keyof ReturnType<typeof addressSymbols>, "address_of">;

let found: Readonly<Record<Name, bigint>> | undefined;

/** Where functions of libc are, for calls that are not made from JavaScript; 0 for one that this glibc lacks. */
export function functionAddresses(): Readonly<Record<Name, bigint>> {
  if (found !== undefined) return found;
  const { address_of, ...functions } = addressSymbols();
  const nothing = new Uint8Array(new ArrayBuffer(1));
  return found = Object.fromEntries(
    Object.entries(functions).map(([name, pointer]) => [
      name,
      pointer === null ? 0n : address_of(pointer, nothing, 0n),
    ]),
  ) as Record<Name, bigint>;
}
