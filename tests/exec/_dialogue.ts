import type { PtyProcess } from "../../exec/mod.ts";
import type { ChildStatus } from "../../process/mod.ts";

const encoder = new TextEncoder();

/** What is typed to a program and what it prints, for tests that drive it. */
export class Dialogue implements AsyncDisposable {
  /** All that was printed. */
  text = "";
  readonly #pty: PtyProcess;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  readonly #reading: Promise<void>;
  /** Where in the text the last match ended. */
  #at = 0;
  #ended = false;
  #printed: () => void = () => {};

  constructor(pty: PtyProcess) {
    this.#pty = pty;
    this.#writer = pty.writable.getWriter();
    this.#reading = this.#read();
  }

  /** Types; `"\r"` is Enter. */
  async type(text: string): Promise<void> {
    await this.#writer.write(encoder.encode(text));
  }

  /** Waits until what was printed since the last match matches. */
  async until(
    pattern: RegExp,
    milliseconds = 10_000,
  ): Promise<RegExpMatchArray> {
    const deadline = performance.now() + milliseconds;
    for (;;) {
      const match = this.text.slice(this.#at).match(pattern);
      if (match !== null) {
        this.#at += match.index! + match[0].length;
        return match;
      }
      const rest = deadline - performance.now();
      if (this.#ended || rest <= 0) {
        throw new Error(
          `no ${pattern} ${this.#ended ? "before the end" : "in time"}: ${
            JSON.stringify(this.text)
          }`,
        );
      }
      await this.#print(rest);
    }
  }

  /** Types a line, and waits for what it brings. */
  async ask(line: string, pattern: RegExp): Promise<RegExpMatchArray> {
    await this.type(`${line}\r`);
    return await this.until(pattern);
  }

  /** Waits for the end of both the output and the program. */
  async end(): Promise<ChildStatus> {
    await this.#reading;
    return await this.#pty.status;
  }

  /** Ends the program, if a test that fails has not. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#pty[Symbol.asyncDispose]();
  }

  async #read(): Promise<void> {
    const decoder = new TextDecoder();
    for await (const chunk of this.#pty.readable) {
      this.text += decoder.decode(chunk, { stream: true });
      this.#printed();
    }
    this.#ended = true;
    this.#printed();
  }

  /** Waits until something is printed, or time is up. */
  async #print(milliseconds: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#printed = resolve;
    const timer = setTimeout(resolve, milliseconds);
    await promise;
    clearTimeout(timer);
  }
}
