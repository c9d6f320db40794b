import { execv } from "../../exec/mod.ts";
import { close, dup2, pipe } from "../../ipc/mod.ts";
import { forkWith, readText, reap, until } from "../_helpers.ts";

/** Runs a test while there is a process, of the given pid, that has the word in its command line. */
export async function withNamedProcess(
  word: string,
  body: (pid: number) => Promise<void>,
): Promise<void> {
  const [reader, writer] = pipe();
  const pid = forkWith(() => {
    dup2(reader, 0);
    execv("/bin/sh", ["sh", "-c", "read line", word]);
  });
  close(reader);
  try {
    // Until then it is one more deno.
    await until(() => readText(`/proc/${pid}/cmdline`).includes(word));
    await body(pid);
  } finally {
    close(writer); // the end of its input, and with that its own
    reap(pid);
  }
}
