import type { PtyProcess } from "../exec/mod.ts";

/** What was expected has not come. */
export class ExpectError extends Error {
  override name = "ExpectError";
  /** Why: time was up, or the program's output has ended. */
  readonly reason: "timeout" | "end";
  /** What it has printed instead. */
  readonly printed: string;

  constructor(reason: "timeout" | "end", wanted: string, printed: string) {
    const why = reason === "timeout" ? "in time" : "before the end";
    super(`no ${wanted} ${why}, but ${JSON.stringify(printed)}`);
    this.reason = reason;
    this.printed = printed;
  }
}

/** What has matched: the name of the pattern, and the match. */
export interface Expected<Name extends string> {
  name: Name;
  match: RegExpMatchArray;
}

const encoder = new TextEncoder();

/** A conversation with a program in a terminal. */
export class Conversation {
  readonly #reader: ReadableStreamDefaultReader<string>;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  /** A read that has not settled: it outlives the waiting for it. */
  #reading: Promise<ReadableStreamReadResult<string>> | undefined;
  /** What was printed and is not part of a match yet. */
  #rest = "";

  constructor(pty: PtyProcess) {
    this.#reader = pty.readable.pipeThrough(new TextDecoderStream())
      .getReader();
    this.#writer = pty.writable.getWriter();
  }

  /** Types a line, and Enter. */
  async send(line: string): Promise<void> {
    await this.#writer.write(encoder.encode(`${line}\r`));
  }

  /** Waits until one of the patterns matches; what is printed up to the end of the match is done with. */
  async expect<Name extends string>(
    patterns: Record<Name, RegExp>,
    milliseconds = 5000,
  ): Promise<Expected<Name>> {
    const deadline = performance.now() + milliseconds;
    for (;;) {
      for (const [name, pattern] of Object.entries<RegExp>(patterns)) {
        const match = this.#rest.match(pattern);
        if (match === null) continue;
        this.#rest = this.#rest.slice(match.index! + match[0].length);
        return { name: name as Name, match };
      }
      const wanted = Object.values(patterns).join(" or ");
      const result = await this.#read(deadline - performance.now());
      if (result === "timeout" || result.done) {
        const reason = result === "timeout" ? result : "end";
        throw new ExpectError(reason, wanted, this.#rest);
      }
      this.#rest += result.value;
    }
  }

  /** All that it prints from now on. */
  async rest(): Promise<string> {
    for (let end = false; !end;) {
      const result = await this.#read(Infinity);
      end = result === "timeout" || result.done;
      if (result !== "timeout" && !result.done) this.#rest += result.value;
    }
    return this.#rest;
  }

  async #read(
    milliseconds: number,
  ): Promise<ReadableStreamReadResult<string> | "timeout"> {
    this.#reading ??= this.#reader.read();
    let timer;
    const timeout = new Promise<"timeout">((resolve) => {
      if (milliseconds === Infinity) return;
      timer = setTimeout(resolve, Math.max(0, milliseconds), "timeout");
    });
    const result = await Promise.race([this.#reading, timeout]);
    clearTimeout(timer);
    if (result !== "timeout") this.#reading = undefined;
    return result;
  }
}
