import { parentLoops } from "./_fork/event_loops.ts";

/**
 * In a forked child: takes over the connections and pipes that the parent had opened through Deno.
 *
 * Descriptors are shared by a fork, and so a read that the parent has under way would be under way in the child too, and take away
 * the parent's bytes. Therefore only sockets that listen go on working in a child by themselves, and its copies of TCP
 * connections are closed ones until then. A server that forks for
 * each connection calls this first in the child; it is for a parent that has no read or write of its own pending on them, as
 * those are then made by both. Without effect in a process that was not forked, or when called again.
 *
 * Numbers from `ipc` need none of this: `read` and `write` work on any open descriptor.
 *
 * @example A child that takes over what the parent has accepted
 * ```ts
 * import { _exit, fork, inheritConnections } from "@posix/process/process";
 * import { waitpid } from "@posix/process/wait";
 * import { assertEquals } from "@std/assert";
 *
 * // const connection = await listener.accept();
 * const child = fork();
 * if (child === 0) {
 *   inheritConnections();
 *   // await connection.write(answer);
 *   _exit(0);
 * }
 * // connection.close();
 * assertEquals(waitpid(child)?.raw, 0);
 * ```
 *
 * @throws {PosixError} Whatever the kernel refuses of it; nothing is known that it would.
 * @see {@link https://man7.org/linux/man-pages/man7/epoll.7.html | epoll(7)}
 */
export function inheritConnections(): void {
  parentLoops.current?.inherit();
}
