/** The jobs of the example shell: process groups, of which one at a time has the terminal. */

import { execvp } from "../exec/mod.ts";
import {
  close,
  dup2,
  O_APPEND,
  O_CREAT,
  O_RDONLY,
  O_TRUNC,
  O_WRONLY,
  open,
  pipe,
  tcgetattr,
  tcsetattr,
  type Termios,
} from "../ipc/mod.ts";
import { PosixError } from "../mod.ts";
import {
  _exit,
  fork,
  getpgrp,
  killpg,
  setpgid,
  tcsetpgrp,
} from "../process/mod.ts";
import { waitpid, WCONTINUED, WNOHANG, WUNTRACED } from "../wait/mod.ts";
import type { Command, Pipeline } from "./_shell_syntax.ts";

const TERMINAL = 0;

/** A pipeline that was started. */
export interface Job {
  number: number;
  /** The process group: the pid of the first program. */
  pgid: number;
  text: string;
  /** Those of its programs that have not ended, and whether they are stopped. */
  running: Map<number, boolean>;
  /** The last program, whose status is the job's. */
  last: number;
  status: number;
}

/** All jobs that have not ended, or whose end was not told yet. */
export class Jobs {
  readonly #jobs: Job[] = [];
  /** Whether there is a terminal to be given to jobs. */
  readonly #interactive: boolean;
  readonly #own = getpgrp();
  /** How the terminal is to be between jobs. */
  #modes: Termios | undefined;

  constructor(interactive: boolean) {
    this.#interactive = interactive;
    this.#modes = interactive ? tcgetattr(TERMINAL) : undefined;
  }

  /** Starts a pipeline. In the background it gives 0 at once, else the status when it has ended or was stopped. */
  start({ commands, background, text }: Pipeline): number {
    const job: Job = {
      number: (this.#jobs.at(-1)?.number ?? 0) + 1,
      pgid: 0,
      text,
      running: new Map(),
      last: 0,
      status: 0,
    };
    let input = 0;
    for (const [index, command] of commands.entries()) {
      const isLast = index === commands.length - 1;
      const [reader, writer] = isLast ? [0, 1] : pipe();
      const pid = fork();
      if (pid === 0) {
        this.#join(0, job.pgid, background);
        become(command, input, writer); // other ends are close-on-exec
      }
      job.pgid ||= pid;
      job.last = pid;
      job.running.set(pid, false);
      // The child does the same: whoever is first, it is done before either goes on.
      this.#join(pid, job.pgid, background);
      if (input !== 0) close(input);
      if (!isLast) close(writer);
      input = reader;
    }
    this.#jobs.push(job);
    if (!background) return this.#attend(job);
    console.log(`[${job.number}] ${job.pgid}`);
    return 0;
  }

  /** `fg`: has a job go on with the terminal. */
  foreground(name: string | undefined): number {
    const job = this.#find(name);
    console.log(job.text);
    if (this.#interactive) tcsetpgrp(TERMINAL, job.pgid);
    this.#continue(job);
    return this.#attend(job);
  }

  /** `bg`: has a job go on without it. */
  background(name: string | undefined): number {
    const job = this.#find(name);
    console.log(`[${job.number}] ${job.text} &`);
    this.#continue(job);
    return 0;
  }

  /** `jobs`: shows all. */
  list(): number {
    for (const job of this.#jobs) this.#update(job, WNOHANG);
    for (const job of [...this.#jobs]) {
      this.#show(job);
      if (job.running.size === 0) this.#forget(job);
    }
    return 0;
  }

  /** Tells of those in the background that have ended since it was asked last. */
  report(): void {
    for (const job of [...this.#jobs]) {
      this.#update(job, WNOHANG);
      if (job.running.size > 0) continue;
      this.#show(job);
      this.#forget(job);
    }
  }

  /** Ends what is stopped or in the background, as a shell does that loses its terminal. */
  hangUp(): void {
    for (const { pgid, running } of this.#jobs) {
      if (running.size === 0) continue;
      killpg(pgid, "SIGHUP");
      killpg(pgid, "SIGCONT");
    }
  }

  #join(pid: number, pgid: number, background: boolean): void {
    try {
      setpgid(pid, pgid);
    } catch (error) {
      // The child has done it, and is another program by now; or it has ended.
      if (!isError(error, "EACCES", "ESRCH")) throw error;
    }
    if (this.#interactive && !background) {
      tcsetpgrp(TERMINAL, pgid || getpgrp());
    }
  }

  /** Waits until a job has ended, or was stopped, and takes the terminal back. */
  #attend(job: Job): number {
    const isActive = () => [...job.running.values()].includes(false);
    while (isActive()) this.#update(job, 0);
    if (this.#modes !== undefined) {
      tcsetpgrp(TERMINAL, this.#own);
      // One that was stopped or killed has left it as it needed it itself.
      const isOver = job.running.size === 0 && job.status < 128;
      if (isOver) this.#modes = tcgetattr(TERMINAL);
      else tcsetattr(TERMINAL, "drain", this.#modes);
    }
    if (job.running.size === 0) {
      this.#forget(job);
      return job.status;
    }
    console.log();
    this.#show(job);
    return 128 + 20; // SIGTSTP
  }

  /** Takes notice of what has become of its programs; waits for news unless told not to. */
  #update(job: Job, options: number): void {
    while (job.running.size > 0) {
      const result = waitpid(-job.pgid, options | WUNTRACED | WCONTINUED);
      if (result === null) return;
      const { pid, status } = result;
      if (status.kind === "exited" || status.kind === "signaled") {
        job.running.delete(pid);
        const code = status.kind === "exited"
          ? status.code
          : 128 + (result.raw & 0x7f);
        if (pid === job.last) job.status = code;
      } else job.running.set(pid, status.kind === "stopped");
      if (options === 0) return;
    }
  }

  #continue(job: Job): void {
    for (const pid of job.running.keys()) job.running.set(pid, false);
    killpg(job.pgid, "SIGCONT");
  }

  #find(name: string | undefined): Job {
    const job = name === undefined
      ? this.#jobs.at(-1)
      : this.#jobs.find(({ number }) => `%${number}` === name);
    if (job === undefined) throw new Error(`no job ${name ?? ""}`.trim());
    return job;
  }

  #show({ number, text, running, status }: Job): void {
    const state = running.size === 0
      ? status === 0 ? "Done" : `Exit ${status}`
      : [...running.values()].includes(false)
      ? "Running"
      : "Stopped";
    console.log(`[${number}]  ${state.padEnd(10)} ${text}`);
  }

  #forget(job: Job): void {
    this.#jobs.splice(this.#jobs.indexOf(job), 1);
  }
}

/** In a child: becomes the program. */
function become(command: Command, input: number, output: number): never {
  const [name] = command.words;
  try {
    if (input !== 0) dup2(input, 0);
    if (output !== 1) dup2(output, 1);
    if (command.input !== undefined) dup2(open(command.input, O_RDONLY), 0);
    if (command.output !== undefined) {
      const { path, append } = command.output;
      const flags = O_WRONLY | O_CREAT | (append ? O_APPEND : O_TRUNC);
      dup2(open(path, flags), 1);
    }
    execvp(name!, command.words);
  } catch (error) {
    console.error(isError(error, "ENOENT") ? `${name}: not found` : `${error}`);
    _exit(isError(error, "ENOENT") ? 127 : 126);
  }
}

function isError(error: unknown, ...codes: string[]): boolean {
  return error instanceof PosixError && codes.includes(error.code);
}
