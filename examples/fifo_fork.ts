/**
 * Parent and child talk over one FIFO that was opened before the fork: os.mkfifo(), os.open(path, os.O_RDWR), os.fork().
 *
 * The child inherits the open FIFO, so that the name is no longer needed. The parent waits for the child's end before it
 * reads: otherwise it might take its own question out again.
 *
 * Run it: deno task example:fifo-fork [path]
 */
import {
  close,
  mkfifo,
  O_RDWR,
  open,
  PIPE_BUF,
  read,
  unlink,
  writeAll,
} from "../ipc/mod.ts";
import { _exit, fork, getpid } from "../process/mod.ts";
import { waitpid } from "../wait/mod.ts";

const path = Deno.args[0] ?? `/tmp/example-fifo-fork-${getpid()}`;
const text = new TextDecoder();

mkfifo(path, 0o600);
const fd = open(path, O_RDWR);
unlink(path);

const pid = fork();
if (pid === 0) {
  console.log(`child heard: ${text.decode(read(fd, PIPE_BUF))}`);
  writeAll(fd, `yes, parent, this is ${getpid()}`);
  _exit(0);
}

writeAll(fd, `child, do you hear ${getpid()}?`);
const child = waitpid(pid)!;
console.log(`parent reaped ${child.pid}, status ${child.raw}`);
if (child.raw === 0) {
  console.log(`parent heard: ${text.decode(read(fd, PIPE_BUF))}`);
}
close(fd);
