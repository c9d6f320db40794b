import type { Queue } from "../ipc/queue.ts";
import { coreOf } from "../ipc/_queue/core.ts";
import { QueueEmpty } from "../ipc/queue_errors.ts";

/**
 * Waits for the messages of a queue, but only while any is to come: who waits for none would not be let end.
 *
 * The queue stays its owner's, who closes it.
 */
export class QueueListener<Message> {
  readonly #queue: Queue<Message>;
  readonly #expects: () => boolean;
  #waiting: AbortController | undefined;

  /** Listens to nothing yet. `expects` says whether any message is to come. */
  constructor(queue: Queue<Message>, expects: () => boolean) {
    this.#queue = queue;
    this.#expects = expects;
  }

  /** Gives each message to `accept`, as long as any is to come; does nothing if that is being done. */
  async listen(accept: (message: Message) => void): Promise<void> {
    if (this.#waiting !== undefined) return;
    this.#waiting = new AbortController();
    const { signal } = this.#waiting;
    try {
      while (this.#expects()) accept(await this.#queue.getAsync({ signal }));
    } catch (error) {
      if (!signal.aborted) throw error;
    } finally {
      this.#waiting = undefined;
    }
  }

  /** Takes the messages that are there. */
  *present(): Generator<Message> {
    try {
      for (;;) yield this.#queue.getNowait();
    } catch (error) {
      if (!(error instanceof QueueEmpty)) throw error;
    }
  }

  /** Waits no longer, whatever is to come; resolves when nothing of it is under way any more. */
  async stop(): Promise<void> {
    this.#waiting?.abort();
    await coreOf(this.#queue).settled();
  }
}
