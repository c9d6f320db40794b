/**
 * Parent and child talk through a file: the parent writes, the child reads and appends, the parent reads it back.
 *
 * Open files are shared over a fork, their position included, so that each side opens the file for itself. A file tells
 * nobody when there is something new in it: here os.waitpid() sees to the order.
 *
 * Run it: deno task example:file [path]
 */
import {
  close,
  O_APPEND,
  O_CREAT,
  O_EXCL,
  O_RDONLY,
  O_RDWR,
  O_WRONLY,
  open,
  readAll,
  unlink,
  writeAll,
} from "../ipc/mod.ts";
import { _exit, fork, getpid } from "../process/mod.ts";
import { waitpid } from "../wait/mod.ts";

const path = Deno.args[0] ?? `/tmp/example-file-${getpid()}.txt`;
const text = new TextDecoder();

const mine = open(path, O_WRONLY | O_CREAT | O_EXCL, 0o600);
writeAll(mine, `Parent ${getpid()}: is anybody there?\n`);
close(mine);

const pid = fork();
if (pid === 0) {
  const file = open(path, O_RDWR | O_APPEND);
  console.log(`child has read:\n${text.decode(readAll(file))}`);
  writeAll(file, `Child ${getpid()}: yes, I have read you.\n`);
  _exit(0);
}

waitpid(pid);
const file = open(path, O_RDONLY);
console.log(`parent has read:\n${text.decode(readAll(file))}`);
close(file);
unlink(path);
