import { Worker as NodeWorker } from "node:worker_threads";
import type { Capabilities } from "../_capability.ts";
import { freshPath } from "../_scratch.ts";

const doubler =
  "onmessage = async ({ data }: { data: number }) => postMessage(await Promise.resolve(data * 2));";

/** Asks a worker at that URL for the double of a number. */
async function double(url: string, number: number): Promise<number> {
  const worker = new Worker(url, { type: "module" });
  const answer = await new Promise<number>((resolve, reject) => {
    worker.onmessage = ({ data }) => resolve(data);
    worker.onerror = reject;
    worker.postMessage(number);
  });
  worker.terminate();
  return answer;
}

/** Modules and workers. */
export const modules: Capabilities = {
  "import() of a file written just now": {
    async child() {
      const path = freshPath(".ts");
      await Deno.writeTextFile(
        path,
        "type Answer = number;\nexport const answer: Answer = await Promise.resolve(42);",
      );
      return (await import(`file://${path}`)).answer;
    },
    gives: 42,
  },
  "import() of a data URL": {
    async child() {
      const url =
        "data:text/javascript,export default [1, 2].map((n) => n * 2)";
      return (await import(url)).default;
    },
    gives: [2, 4],
  },
  "import() of a node: module not loaded before": {
    async child() {
      const { default: querystring } = await import(`node:${"querystring"}`);
      return querystring.parse("a=1&b=2");
    },
    gives: { a: "1", b: "2" },
  },
  "a worker from a data URL": {
    child() {
      return double(
        `data:application/typescript,${encodeURIComponent(doubler)}`,
        21,
      );
    },
    gives: 42,
  },
  "a worker from a blob URL": {
    child() {
      const type = "application/typescript";
      return double(URL.createObjectURL(new Blob([doubler], { type })), 22);
    },
    gives: 44,
  },
  "four workers at once, each with a file": {
    async child() {
      const path = freshPath();
      const code = (i: number) => `
        await Deno.writeTextFile("${path}-${i}", "${i}");
        onmessage = async ({ data }) =>
          postMessage(data + Number(await Deno.readTextFile("${path}-${i}")));
        postMessage("ready");`;
      const answers = await Promise.all([1, 2, 3, 4].map((i) => {
        const url = `data:text/javascript,${encodeURIComponent(code(i))}`;
        const worker = new Worker(url, { type: "module" });
        return new Promise<number>((resolve, reject) => {
          worker.onerror = reject;
          worker.onmessage = ({ data }) => {
            if (data === "ready") return worker.postMessage(10);
            worker.terminate();
            resolve(data);
          };
        });
      }));
      return answers;
    },
    gives: [11, 12, 13, 14],
  },
  "node:worker_threads": {
    child() {
      const code = "import { parentPort } from 'node:worker_threads';" +
        "parentPort.on('message', (n) => parentPort.postMessage(n + 1));";
      const url = new URL(`data:text/javascript,${encodeURIComponent(code)}`);
      const worker = new NodeWorker(url);
      return new Promise((resolve, reject) => {
        worker.on("error", reject);
        worker.on("message", (n: number) => {
          worker.terminate().then(() => resolve(n));
        });
        worker.postMessage(1);
      });
    },
    gives: 2,
  },
};
