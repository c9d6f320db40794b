/**
 * A child asks and the parent answers, through a queue between processes: Python's multiprocessing.Queue(1).
 *
 * Each direction has a queue of its own, or a process could get back what it has just put. What is put is any value
 * that can be cloned, and arrives as a copy. A get waits for what is to come.
 *
 * Run it: deno task example:queue
 */
import { Queue } from "../ipc/mod.ts";
import { _exit, fork, getpid } from "../process/mod.ts";
import { waitpid } from "../wait/mod.ts";

interface Sentence {
  from: number;
  text: string;
}

using questions = new Queue<Sentence>(1);
using answers = new Queue<Sentence>(1);

const child = fork();
if (child === 0) {
  questions.put({ from: getpid(), text: "你是谁？ (Who are you?)" });
  const { from, text } = answers.get();
  console.log(`child ${getpid()} got from ${from}: ${text}`);
  _exit(0);
}

const { from, text } = questions.get();
console.log(`parent ${getpid()} got from ${from}: ${text}`);
answers.put({ from: getpid(), text: "我是你的父进程。 (I am your parent.)" });
console.log(`child ${child} ended with status ${waitpid(child)!.raw}`);
