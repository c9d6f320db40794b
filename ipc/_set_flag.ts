import { checkValue } from "../ffi/_results.ts";
import { descriptorSymbols } from "../ffi/_symbols.ts";

/** Switches one flag of a descriptor by a pair of `fcntl` commands, and leaves the others as they are. */
export function setFlag(
  fd: number,
  commands: { get: number; set: number },
  flag: number,
  on: boolean,
): void {
  const action = () => `Cannot change flags of descriptor ${fd}`;
  const { fcntl } = descriptorSymbols();
  const before = checkValue(fcntl(fd, commands.get, 0), "fcntl", action);
  const after = on ? before | flag : before & ~flag;
  if (after !== before) {
    checkValue(fcntl(fd, commands.set, after), "fcntl", action);
  }
}
