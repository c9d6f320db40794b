/**
 * A program that is measured in turns with others: it gets ready, says so in a line, and then answers each line that it is
 * sent with one of its own. Between its turns it sleeps.
 */
export class Agent {
  readonly #child: Deno.ChildProcess;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  readonly #lines: AsyncIterator<string>;

  private constructor(
    child: Deno.ChildProcess,
    lines: AsyncIterator<string>,
  ) {
    this.#child = child;
    this.#writer = child.stdin.getWriter();
    this.#lines = lines;
  }

  /** Starts an agent, and waits until it is ready. */
  static async start([command, ...args]: string[]): Promise<Agent> {
    if (command === undefined) throw new TypeError("Cannot start no command");
    const child = new Deno.Command(command, {
      args,
      stdin: "piped",
      stdout: "piped",
    }).spawn();
    const lines = readLines(child.stdout);
    const { value } = await lines.next();
    if (value === undefined) throw new Error(`${command} has not become ready`);
    return new Agent(child, lines);
  }

  /** Has the agent do something, and gives its answer. */
  async ask(line: string): Promise<string> {
    await this.#writer.write(new TextEncoder().encode(`${line}\n`));
    const { value } = await this.#lines.next();
    if (value === undefined) throw new Error("the agent is gone");
    return value;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#writer.close();
    await this.#child.status;
  }
}

async function* readLines(
  stream: ReadableStream<Uint8Array>,
): AsyncGenerator<string, undefined> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of stream) {
    const lines = (text + decoder.decode(chunk, { stream: true })).split("\n");
    text = lines.pop()!;
    yield* lines;
  }
}
