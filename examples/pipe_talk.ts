/**
 * Two children talk both ways over two pipes: os.pipe() twice, os.fork() twice; the parent only reaps.
 *
 * A pipe goes one way, so that a conversation takes two. Every process closes the ends that it does not use: a reader sees
 * the end only when nobody has the writing end open any more.
 *
 * Run it: deno task example:pipe-talk
 */
import { close, pipe, readAll, writeAll } from "../ipc/mod.ts";
import { _exit, fork, getpid } from "../process/mod.ts";
import { wait } from "../wait/mod.ts";

const [questionReader, questionWriter] = pipe();
const [answerReader, answerWriter] = pipe();
const text = new TextDecoder();

const asker = fork();
if (asker === 0) {
  close(questionReader);
  close(answerWriter);
  writeAll(questionWriter, "你好，你是谁？ (Hello, who are you?)");
  close(questionWriter);
  console.log(`asker ${getpid()} heard: ${text.decode(readAll(answerReader))}`);
  _exit(0);
}

const answerer = fork();
if (answerer === 0) {
  close(questionWriter);
  close(answerReader);
  console.log(
    `answerer ${getpid()} heard: ${text.decode(readAll(questionReader))}`,
  );
  writeAll(answerWriter, `我是进程 ${getpid()}。 (I am that process.)`);
  _exit(0);
}

for (const fd of [questionReader, questionWriter, answerReader, answerWriter]) {
  close(fd);
}
for (const child of [wait(), wait()]) {
  console.log(`parent reaped ${child.pid}, status ${child.raw}`);
}
