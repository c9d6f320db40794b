import { close } from "../../ipc/close.ts";
import type { Queue } from "../../ipc/queue.ts";
import { QueueClosed } from "../../ipc/queue_errors.ts";
import { recvFds } from "../../ipc/recv_fds.ts";
import { sendFds } from "../../ipc/send_fds.ts";
import { bearChild } from "../_bear_child.ts";
import type { ForkOptions } from "../fork_options.ts";
import { portable } from "../_portable_error.ts";
import type { Notice, Request } from "./messages.ts";

const STREAMS = ["stdin", "stdout", "stderr"] as const;

/** The server, in its own process: forks whenever it is asked to, until nobody can ask any more. */
export async function serve<Argument>(
  body: (argument: Argument) => number | void | Promise<number | void>,
  requests: Queue<Request>,
  notices: Queue<Notice>,
  socket: number,
): Promise<void> {
  const ends = new Set<Promise<unknown>>();
  for (;;) {
    try {
      const request = await requests.getAsync();
      const child = await attend(request, body, notices, socket);
      if (child === undefined) continue;
      const end = child.end.finally(() => ends.delete(end));
      ends.add(end);
    } catch (error) {
      if (!(error instanceof QueueClosed)) throw error;
      await Promise.all(ends);
      return;
    }
  }
}

async function attend<Argument>(
  { id, argument, options, targets }: Request,
  body: (argument: Argument) => number | void | Promise<number | void>,
  notices: Queue<Notice>,
  socket: number,
): Promise<{ end: Promise<void> } | undefined> {
  const fds = targets.length > 0 ? recvFds(socket, targets.length).fds : [];
  const streams: ForkOptions = {};
  targets.forEach((target, index) => streams[STREAMS[target]!] = fds[index]!);
  try {
    const { pid, follower } = await bearChild(() => {
      close(socket);
      return body(argument as Argument);
    }, { ...options, ...streams });
    const { pidfd } = follower;
    if (pidfd !== undefined) sendFds(socket, [pidfd]);
    notices.put({ id, kind: "started", pid, hasPidfd: pidfd !== undefined });
    const end = follower.result.then((result) =>
      notices.put({ id, kind: "ended", result })
    );
    return { end };
  } catch (error) {
    notices.put({ id, kind: "refused", error: portable(error) });
  } finally {
    for (const fd of fds) close(fd);
  }
}
