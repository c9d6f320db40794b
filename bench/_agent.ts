import type { Program } from "./_programs.ts";
import type { Missing, Peer } from "./_side_by_side.ts";

interface Running {
  child: Deno.ChildProcess;
  writer: WritableStreamDefaultWriter<Uint8Array>;
  lines: AsyncIterator<string>;
}

/**
 * A program that is measured in turns with others: it gets ready, says so in a line, and then answers each line that it is
 * sent with one of its own. Between its turns it sleeps. Where it is missing, so are the peers that it would be.
 */
export class Agent {
  readonly #by: string;
  readonly #running: Running | { missing: string };

  private constructor(by: string, running: Running | { missing: string }) {
    this.#by = by;
    this.#running = running;
  }

  /** Starts an agent, and waits until it is ready. */
  static async start(
    program: Program,
    ...args: (string | number)[]
  ): Promise<Agent> {
    if ("missing" in program) return new Agent(program.by, program);
    const [file, ...first] = program.command;
    const child = new Deno.Command(file!, {
      args: [...first, ...args.map(String)],
      stdin: "piped",
      stdout: "piped",
    }).spawn();
    const lines = readLines(child.stdout);
    const { value } = await lines.next();
    if (value === undefined) throw new Error(`${file} has not become ready`);
    const writer = child.stdin.getWriter();
    return new Agent(program.by, { child, writer, lines });
  }

  /** Has the agent do something, and gives its answer. */
  async ask(line: string): Promise<string> {
    if ("missing" in this.#running) throw new Error("there is no such agent");
    const { writer, lines } = this.#running;
    await writer.write(new TextEncoder().encode(`${line}\n`));
    const { value } = await lines.next();
    if (value === undefined) throw new Error("the agent is gone");
    return value;
  }

  /** A peer whose turn is a question. */
  peer<Sample>(
    name: string,
    question: string,
    read: (answer: string) => Sample,
  ): Peer<Sample> | Missing {
    const by = this.#by;
    if ("missing" in this.#running) {
      return { name, by, missing: this.#running.missing };
    }
    return { name, by, turn: async () => read(await this.ask(question)) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if ("missing" in this.#running) return;
    const { child, writer } = this.#running;
    await writer.close();
    await child.status;
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
