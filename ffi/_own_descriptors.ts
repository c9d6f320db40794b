/**
 * Descriptors that the library has opened for its own ends, and that are no concern of the runtime's event loop. Whoever forks
 * leaves them out when looking for what Deno has open.
 */
const own = new Set<number>();

/** Says that a descriptor is such a one, as long as it is open. */
export function markOwnDescriptor(fd: number): void {
  own.add(fd);
}

/** Says that it is closed. */
export function unmarkOwnDescriptor(fd: number): void {
  own.delete(fd);
}

/** Whether it is such a one. */
export function isOwnDescriptor(fd: number): boolean {
  return own.has(fd);
}
