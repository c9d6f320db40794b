/**
 * A pipe that never makes its reader wait: os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC) of Python.
 *
 * While the pipe is empty, read() fails with EAGAIN instead of waiting, and the parent can do something else.
 *
 * Run it: deno task example:pipe-nonblock
 */
import {
  close,
  O_CLOEXEC,
  O_NONBLOCK,
  pipe2,
  poll,
  read,
  writeAll,
} from "../ipc/mod.ts";
import { PosixError } from "../mod.ts";
import { _exit, fork } from "../process/mod.ts";
import { waitpid } from "../wait/mod.ts";

const [reader, writer] = pipe2(O_NONBLOCK | O_CLOEXEC);

const pid = fork();
if (pid === 0) {
  poll([], 300); // the child takes its time
  writeAll(writer, "Hello from the child");
  _exit(0);
}

close(writer);
for (let ended = false; !ended;) {
  try {
    const bytes = read(reader, 1024);
    if (bytes.length > 0) {
      console.log(`message: ${new TextDecoder().decode(bytes)}`);
    }
    ended = bytes.length === 0; // nobody can write any more
  } catch (error) {
    if (!(error instanceof PosixError) || error.code !== "EAGAIN") throw error;
    console.log("nothing yet (EAGAIN), so something else meanwhile");
    poll([], 50);
  }
}
close(reader);
console.log(`child ${pid} has ended with status ${waitpid(pid)!.raw}`);
