import { _exit } from "../../../process/_exit.ts";
import { fork, inheritConnections } from "../../../process/fork.ts";
import { getpid } from "../../../process/ids.ts";
import { waitAsync } from "../../../wait/wait_async.ts";
import { sendResult } from "../_child.ts";
import { freshPath } from "../_scratch.ts";
import { type Capabilities, sleep, within } from "../_capability.ts";

/** Ends a child that the parent's pending operations would keep alive. */
function leave(result: unknown): never {
  sendResult(result);
  _exit(0);
}

let server: Deno.ChildProcess;
let client: Deno.Conn;
let connection: Deno.Conn;
let url = "";

/** Starts a server in a process of its own: it echoes after the given time. */
async function startServer(delay = 0): Promise<void> {
  const code = `Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: ({ port }) => console.log(port) },
    async (request) => {
      const text = await request.text();
      await new Promise((resolve) => setTimeout(resolve, ${delay}));
      return new Response(text);
    },
  );`;
  const args = ["run", "--no-config", "--allow-net"];
  server = new Deno.Command(Deno.execPath(), {
    args: [...args, `data:text/javascript,${encodeURIComponent(code)}`],
    stdin: "null",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const reader = server.stdout.getReader();
  const { value } = await within(5000, "the server starts", reader.read());
  await reader.cancel();
  url = `http://127.0.0.1:${new TextDecoder().decode(value).trim()}/`;
}

async function stopServer(): Promise<void> {
  server.kill("SIGKILL");
  await server.status;
}

async function echo(text: string): Promise<string> {
  const response = await fetch(url, { method: "POST", body: text });
  return await response.text();
}

function refuse(wrong: readonly string[]): void {
  if (wrong.length > 0) {
    throw new Error(`the parent was harmed: ${wrong.slice(0, 3).join("; ")}`);
  }
}

let pending: Promise<unknown>[] = [];

/** What the parent has open or under way when it forks. */
export const belongings: Capabilities = {
  "a fetch that is pending in the parent": {
    async before() {
      await startServer(50);
      await echo("warm");
      pending = [1, 2, 3, 4].map((n) => echo(`pending ${n}`));
      for (const promise of pending) promise.catch(() => {});
      await sleep(20);
    },
    async child() {
      await sleep(200);
      leave("lived on");
    },
    async parent() {
      const all = Promise.all(pending);
      refuse(
        JSON.stringify(await within(2000, "the parent's fetch", all)) ===
            '["pending 1","pending 2","pending 3","pending 4"]'
          ? []
          : ["wrong answers"],
      );
    },
    gives: "lived on",
    async after() {
      await within(2000, "the fetch", Promise.allSettled(pending))
        .finally(stopServer);
    },
  },
  "a connection that the parent keeps for its next fetch": {
    async before() {
      await startServer();
      await echo("warm");
    },
    async child() {
      const wrong: string[] = [];
      for (let i = 0; i < 20; i++) {
        const text = await echo(`child ${i}`);
        if (text !== `child ${i}`) wrong.push(text);
      }
      leave(wrong);
    },
    async parent() {
      const wrong: string[] = [];
      for (let i = 0; i < 20; i++) {
        const text = await within(2000, "the fetch", echo(`parent ${i}`));
        if (text !== `parent ${i}`) wrong.push(text);
      }
      refuse(wrong);
    },
    gives: [],
    after: stopServer,
  },
  "a connection of the parent that the child takes over": {
    async before() {
      const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
      const { port } = listener.addr as Deno.NetAddr;
      const accepted = listener.accept();
      client = await Deno.connect({ hostname: "127.0.0.1", port });
      connection = await accepted;
      listener.close();
    },
    async child() {
      inheritConnections();
      const bytes = new Uint8Array(5);
      await connection.read(bytes);
      await connection.write(bytes.reverse());
      leave(new TextDecoder().decode(bytes));
    },
    async parent() {
      await client.write(new TextEncoder().encode("abcde"));
      const bytes = new Uint8Array(5);
      await within(2000, "the child's answer", client.read(bytes));
      refuse(new TextDecoder().decode(bytes) === "edcba" ? [] : ["no answer"]);
    },
    gives: "edcba",
    after() {
      client.close();
      connection.close();
    },
  },
  "a Deno.Command that is under way in the parent": {
    async before() {
      const script = "sleep 0.05; head -c 500000 /dev/zero | tr '\\0' x";
      pending = [1, 2].map(() =>
        new Deno.Command("sh", { args: ["-c", script] }).output()
      );
      await sleep(10);
    },
    async child() {
      await sleep(200);
      leave((await new Deno.Command("true").output()).code);
    },
    async parent() {
      const outputs = await within(
        2000,
        "the parent's command",
        Promise.all(pending as Promise<Deno.CommandOutput>[]),
      );
      refuse(
        outputs.map(({ stdout }) => stdout.length)
          .filter((length) => length !== 500_000)
          .map((length) => `500000 bytes of output became ${length}`),
      );
    },
    gives: 0,
    async after() {
      await within(2000, "the parent's command", Promise.allSettled(pending));
    },
  },
  "timers of the parent": {
    before() {
      pending = [sleep(20), sleep(30)];
    },
    async child() {
      await Promise.all(pending);
      return "they fire";
    },
    async parent() {
      await within(2000, "the parent's timers", Promise.all(pending));
    },
    gives: "they fire",
  },
  "a worker of the parent": {
    async before() {
      const code = "onmessage = ({ data }) => postMessage(data * 2);" +
        "setInterval(() => Array.from({ length: 10000 }, (_, i) => ({ i })), 20);";
      worker = new Worker(`data:text/javascript,${encodeURIComponent(code)}`, {
        type: "module",
      });
      await askWorker(1);
    },
    async child() {
      await sleep(2);
      leave((await Deno.readTextFile("/proc/self/stat")).length > 0);
    },
    async parent() {
      for (let i = 0; i < 5; i++) await askWorker(i);
    },
    gives: true,
    async after() {
      worker.terminate();
      await sleep(5);
    },
  },
  // Of a child that is a parent in turn: a process that has watched once keeps the thread for it for ever.
  "a file watcher of the parent": {
    async child() {
      const path = freshPath();
      await Deno.mkdir(path);
      const watcher = Deno.watchFs(path);
      const pid = fork();
      if (pid === 0) {
        await sleep(100);
        const text = await Deno.readTextFile("/proc/self/stat");
        try {
          Deno.watchFs(path);
        } catch (error) {
          const refused = String(error).includes("Cannot watch files");
          _exit(refused && text.startsWith(`${getpid()}`) ? 0 : 1);
        }
        _exit(2);
      }
      await Deno.writeTextFile(`${path}/file`, "");
      for await (const { kind } of watcher) {
        const { status } = await waitAsync(pid);
        leave([kind, status]);
      }
    },
    gives: ["create", { kind: "exited", code: 0 }],
  },
};

let worker: Worker;

function askWorker(number: number): Promise<void> {
  const answered = new Promise<void>((resolve) => {
    worker.onmessage = ({ data }) => {
      if (data === number * 2) resolve();
    };
  });
  worker.postMessage(number);
  return within(3000, "the parent's worker", answered);
}
