/** The directory of this run, which the program removes at its end. */
export const scratch: string = Deno.makeTempDirSync({ prefix: "matrix-" });

let count = 0;

/** A path in it that no other process of this run has. */
export function freshPath(suffix = ""): string {
  const pid = Deno.readLinkSync("/proc/self"); // Deno.pid is the parent's
  return `${scratch}/${pid}-${count++}${suffix}`;
}
