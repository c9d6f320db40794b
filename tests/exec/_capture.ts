import { O_CLOEXEC, O_CREAT, O_WRONLY } from "../../ffi/constants.ts";
import { close, dup2, open } from "../../ipc/descriptors.ts";
import { pipe2 } from "../../ipc/pipes.ts";
import { readAll, writeAll } from "../../ipc/read_write.ts";
import { forkWith, reap } from "../_helpers.ts";

/** How a child has ended that became a program, and what that has written to its standard output. */
export interface Captured {
  pid: number;
  raw: number;
  output: string;
}

/** Runs `body`, which is to execute a program, in a child, and waits for the end. */
export function capture(body: () => void): Captured {
  const [reader, writer] = pipe2(O_CLOEXEC);
  const pid = forkWith(() => {
    dup2(writer, 1);
    body();
    return 98; // it came back
  });
  close(writer);
  const output = new TextDecoder().decode(readAll(reader));
  close(reader);
  return { pid, raw: reap(pid), output };
}

/** Makes a file, with permission to execute it unless another mode is given. */
export function makeFile(path: string, text: string, mode = 0o755): string {
  const fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, mode);
  writeAll(fd, text);
  close(fd);
  return path;
}
