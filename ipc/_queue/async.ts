import { QueueEmpty, QueueFull } from "../queue_errors.ts";
import type { Core } from "./core.ts";
import { BUSY, NOTHING } from "./ring.ts";
import type { Line, Verdict } from "./line.ts";

/** Puts an item without blocking. */
export function putItem(
  core: Core,
  item: unknown,
  deadline: number,
  signal: AbortSignal | undefined,
): unknown {
  signal?.throwIfAborted();
  core.check();
  const encoder = core.putting.takeEncoder();
  const end = encoder.encode(item, 0);
  const attempt = () => {
    const result = core.putting.putEncoded(encoder, end);
    if (result === true) core.putting.giveEncoder(encoder);
    return result;
  };
  return inTurn(
    core.putters,
    attempt,
    deadline,
    signal,
    () => new QueueFull(),
  );
}

/** Gets an item without blocking. */
export function getItem(
  core: Core,
  deadline: number,
  signal: AbortSignal | undefined,
  into: Uint8Array | undefined,
): unknown {
  signal?.throwIfAborted();
  core.check();
  return inTurn(
    core.getters,
    () => core.getting.tryGet(into),
    deadline,
    signal,
    () => new QueueEmpty(),
  );
}

/** Waits until all tasks are done, without blocking; gives false if the time is over. */
export async function joined(
  core: Core,
  deadline: number,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  signal?.throwIfAborted();
  core.check();
  const attempt = () => core.allDone || NOTHING;
  try {
    await inTurn(
      core.joiners,
      attempt,
      deadline,
      signal,
      () => new QueueEmpty(),
    );
    return true;
  } catch (error) {
    if (error instanceof QueueEmpty) return false;
    throw error;
  }
}

/** Tries at once if nobody else is waiting, and else queues up. Gives the result, or a promise of it. */
function inTurn(
  line: Line,
  attempt: () => unknown,
  deadline: number,
  signal: AbortSignal | undefined,
  late: () => Error,
): unknown {
  if (line.free) {
    const result = attempt();
    if (result !== NOTHING && result !== BUSY) return result;
  }
  return new Promise((resolve, reject) => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const end = () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", abort);
    };
    const waiter = {
      attempt(): Verdict {
        try {
          const result = attempt();
          if (result === NOTHING) return "nothing";
          if (result === BUSY) return "busy";
          end();
          resolve(result);
        } catch (error) {
          end();
          reject(error);
        }
        return "done";
      },
      fail(error: unknown): void {
        end();
        reject(error);
      },
    };
    const leave = (reason: unknown) => {
      line.remove(waiter);
      waiter.fail(reason);
    };
    const abort = () => leave(signal!.reason);
    signal?.addEventListener("abort", abort);
    if (deadline !== Infinity) {
      const left = Math.max(0, deadline - performance.now());
      // A timer takes no more than 31 bits; one who waits that long is not to be disappointed early.
      if (left < 2 ** 31) timer = setTimeout(() => leave(late()), left);
    }
    line.add(waiter);
  });
}
