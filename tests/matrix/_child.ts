import {
  close,
  dup2,
  pipe,
  read,
  setNonblock,
  writeAll,
} from "../../ipc/mod.ts";
import { fork } from "../../process/fork.ts";
import { killpg } from "../../process/kill.ts";
import { setpgid } from "../../process/ids.ts";
import { PosixError } from "../../ffi/errors.ts";
import { waitpid } from "../../wait/wait.ts";
import { WNOHANG } from "../../ffi/constants.ts";

/** The parent's ends of all children's pipes: those of its siblings are no child's business. */
const parentsEnds = new Set<number>();

/** In a child: where it sends what came of its task. */
let resultFd = -1;

/** In a child: sends what came of its task. */
export function sendResult(value: unknown): void {
  writeAll(resultFd, JSON.stringify(value) ?? "null");
}

/** A forked child with a pipe for what it prints, and one for what it has to tell. */
export class Child {
  readonly pid: number;
  readonly #output: Sink;
  readonly #result: Sink;
  #end: string | undefined;

  private constructor(
    pid: number,
    output: Sink,
    result: Sink,
  ) {
    this.pid = pid;
    this.#output = output;
    this.#result = result;
  }

  /** Forks; gives null in the child. */
  static start(): Child | null {
    const [output, outputEnd] = pipe();
    const [result, resultEnd] = pipe();
    let pid;
    try {
      pid = fork();
    } catch (error) {
      for (const fd of [output, outputEnd, result, resultEnd]) close(fd);
      throw error;
    }
    if (pid === 0) {
      // A group of its own, so that what it has forked in turn can be killed with it.
      setpgid(0, 0);
      dup2(outputEnd, 1);
      dup2(outputEnd, 2);
      resultFd = resultEnd;
      for (const fd of [output, outputEnd, result]) close(fd);
      for (const fd of parentsEnds) close(fd);
      parentsEnds.clear();
      return null;
    }
    for (const fd of [outputEnd, resultEnd]) close(fd);
    for (const fd of [output, result]) parentsEnds.add(fd);
    return new Child(pid, new Sink(output), new Sink(result));
  }

  /** How it has ended, such as `exit 0` or `SIGTERM`; undefined as long as it has not. */
  get end(): string | undefined {
    if (this.#end !== undefined) return this.#end;
    const status = waitpid(this.pid, WNOHANG)?.status;
    if (status?.kind === "exited") this.#end = `exit ${status.code}`;
    if (status?.kind === "signaled") this.#end = status.signal;
    return this.#end;
  }

  /** All that it has printed up to now. */
  get printed(): string {
    return this.#output.text();
  }

  /** What it has sent; undefined where that is nothing. */
  get result(): unknown {
    const text = this.#result.text();
    return text === "" ? undefined : JSON.parse(text);
  }

  /** What its threads are at, for one that hangs. */
  whereabouts(): string {
    const read = (path: string) => {
      try {
        return Deno.readTextFileSync(path).trim();
      } catch {
        return "?";
      }
    };
    const tasks = `/proc/${this.pid}/task`;
    return [...Deno.readDirSync(tasks)].map(({ name }) =>
      `${read(`${tasks}/${name}/comm`)}: ${read(`${tasks}/${name}/syscall`)}`
    ).join("; ");
  }

  /** Kills it if it has not ended, and closes the pipes. */
  close(): void {
    if (this.end === undefined) {
      killpg(this.pid, "SIGKILL");
      waitpid(this.pid);
    }
    this.#output.close();
    this.#result.close();
  }
}

class Sink {
  readonly #fd: number;
  readonly #decoder = new TextDecoder();
  #text = "";

  constructor(fd: number) {
    this.#fd = fd;
    setNonblock(fd, true);
  }

  /** What has come up to now. */
  text(): string {
    try {
      for (;;) {
        const bytes = read(this.#fd, 65_536);
        if (bytes.length === 0) break;
        this.#text += this.#decoder.decode(bytes, { stream: true });
      }
    } catch (error) {
      if (!(error instanceof PosixError && error.code === "EAGAIN")) {
        throw error;
      }
    }
    return this.#text;
  }

  close(): void {
    parentsEnds.delete(this.#fd);
    close(this.#fd);
  }
}
