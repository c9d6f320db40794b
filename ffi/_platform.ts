/** The two machine architectures whose layouts and constants the library knows. */
export type Architecture = "x86_64" | "aarch64";

/** The architecture of the running Deno; layouts and constants are chosen by it. */
export const ARCHITECTURE: Architecture = Deno.build.arch;

/** Why libc cannot be bound on this system, or `null` where it can. */
export function unsupportedReason(
  build: { os: string; arch: string; target: string } = Deno.build,
): string | null {
  const { os, arch, target } = build;
  const known = os === "linux" && target.endsWith("-gnu") &&
    (arch === "x86_64" || arch === "aarch64");
  return known
    ? null
    : `this library needs Linux with glibc on x86_64 or aarch64: current target is ${target}`;
}
