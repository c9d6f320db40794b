import { spawn } from "node:child_process";
import { close, pipe } from "../../../ipc/mod.ts";
import { waitpid } from "../../../wait/wait.ts";
import { type Capabilities, until } from "../_capability.ts";

/** What is at that address in this process. */
function memoryAt(address: number, length: number): string {
  using memory = Deno.openSync("/proc/self/mem");
  memory.seekSync(address, Deno.SeekMode.Start);
  const bytes = new Uint8Array(length);
  memory.readSync(bytes);
  return bytes.join();
}

/** Where the `struct pollfd` are of the thread that polls. */
function polledAddress(): number | undefined {
  for (const { name } of Deno.readDirSync("/proc/self/task")) {
    const [call, address] = Deno
      .readTextFileSync(`/proc/self/task/${name}/syscall`).split(" ");
    if (POLLS.has(call!)) return Number(address);
  }
}

/** The numbers of `poll` and `ppoll`. */
const POLLS: ReadonlySet<string> = new Set(
  Deno.build.arch === "x86_64" ? ["7", "271"] : ["73"],
);

/** Other programs. */
export const programs: Capabilities = {
  "Deno.Command output()": {
    async child() {
      const { code, stdout, stderr } = await new Deno.Command("sh", {
        args: ["-c", "echo out; echo err >&2; exit 3"],
      }).output();
      const decoder = new TextDecoder();
      return [code, decoder.decode(stdout), decoder.decode(stderr)];
    },
    gives: [3, "out\n", "err\n"],
  },
  "Deno.Command spawn() with piped streams": {
    async child() {
      const cat = new Deno.Command("cat", { stdin: "piped", stdout: "piped" })
        .spawn();
      const text = ReadableStream.from(["a".repeat(100_000), "b"]);
      const [, output] = await Promise.all([
        text.pipeThrough(new TextEncoderStream()).pipeTo(cat.stdin),
        new Response(cat.stdout).text(),
      ]);
      return [output.length, (await cat.status).success];
    },
    gives: [100_001, true],
  },
  "Deno.Command kill()": {
    async child() {
      const sleeper = new Deno.Command("sleep", { args: ["60"] }).spawn();
      sleeper.kill("SIGTERM");
      return (await sleeper.status).signal;
    },
    gives: "SIGTERM",
  },
  "20 programs at once": {
    async child() {
      const codes = await Promise.all(
        Array.from({ length: 20 }, async (_, i) => {
          const args = ["-c", `exit ${i}`];
          return (await new Deno.Command("sh", { args }).output()).code;
        }),
      );
      return codes.reduce((sum, code) => sum + code);
    },
    gives: 190,
  },
  "spawn() in a worker that is terminated, whose memory is let alone": {
    async child() {
      const [reader, writer] = pipe();
      const url = new URL(
        `../_waiting_worker.ts?stdin=${reader}`,
        import.meta.url,
      );
      const worker = new Worker(url, { type: "module" });
      const [tid, pid] = await new Promise<[number, number]>((resolve) => {
        worker.onmessage = ({ data }) => resolve(data);
      });
      close(reader);
      await until(() => polledAddress() !== undefined, "the worker polls");
      const address = polledAddress()!;
      const polled = memoryAt(address, 16);
      worker.terminate();
      await until(
        () =>
          ![...Deno.readDirSync("/proc/self/task")]
            .some(({ name }) => Number(name) === tid),
        "the worker's thread ends",
      );
      const isKept = memoryAt(address, 16) === polled;
      close(writer);
      return [isKept, waitpid(pid)?.raw];
    },
    gives: [true, 0],
  },
  "node:child_process": {
    child() {
      const shell = spawn("sh", ["-c", "cat; exit 4"]);
      let text = "";
      shell.stdout.on("data", (chunk: Uint8Array) => text += chunk);
      shell.stdin.end("hello");
      return new Promise((resolve) =>
        shell.on("close", (code: number) => resolve([text, code]))
      );
    },
    gives: ["hello", 4],
  },
};
