import { forkWithAsync } from "../../_fork_with_async.ts";
import { waitAsync } from "../../../wait/wait_async.ts";
import { type Capabilities, sleep, until } from "../_capability.ts";
import { freshPath } from "../_scratch.ts";

/** Files and the standard streams. */
export const files: Capabilities = {
  "files are written and read": {
    async child() {
      const path = freshPath();
      await Deno.writeTextFile(path, "grüße");
      await Deno.writeTextFile(path, " 你好", { append: true });
      const { size } = await Deno.stat(path);
      return [await Deno.readTextFile(path), size];
    },
    gives: ["grüße 你好", 14],
  },
  "50 blocking tasks at once": {
    async child() {
      const lengths = await Promise.all(
        Array.from({ length: 50 }, async (_, i) => {
          const path = freshPath();
          await Deno.writeTextFile(path, "x".repeat(i));
          return (await Deno.readTextFile(path)).length;
        }),
      );
      return lengths.reduce((sum, length) => sum + length);
    },
    gives: 1225,
  },
  // In a child that is a parent in turn: its pool makes 32 threads at most, and so would its child's, counting those.
  "a parent whose pool is at its limit": {
    async child() {
      const readMany = async () => {
        const read = () => Deno.readTextFile("/proc/self/stat");
        await Promise.all(Array.from({ length: 400 }, read));
      };
      for (let i = 0; i < 4; i++) await readMany();
      const pid = await forkWithAsync(async () => {
        await readMany();
        return (await new Deno.Command("true").output()).code;
      });
      return (await waitAsync(pid)).status;
    },
    gives: { kind: "exited", code: 0 },
  },
  "a file is piped through streams": {
    async child() {
      const [from, to] = [freshPath(), freshPath()];
      await Deno.writeFile(from, new Uint8Array(1_000_000).fill(65));
      const source = await Deno.open(from);
      const target = await Deno.create(to);
      await source.readable
        .pipeThrough(
          new TransformStream<Uint8Array, Uint8Array>({
            transform: (chunk, out) => out.enqueue(chunk.map((n) => n + 1)),
          }),
        )
        .pipeTo(target.writable);
      const bytes = await Deno.readFile(to);
      return [bytes.length, bytes.every((byte) => byte === 66)];
    },
    gives: [1_000_000, true],
  },
  "Deno.watchFs tells of a change": {
    async child() {
      const path = freshPath();
      await Deno.mkdir(path);
      const watcher = Deno.watchFs(path);
      const writing = sleep(20).then(() =>
        Deno.writeTextFile(`${path}/new`, "")
      );
      for await (const { kind, paths } of watcher) {
        await writing;
        return [kind, paths[0]?.endsWith("/new")];
      }
    },
    gives: ["create", true],
  },
  "standard input is read as it comes": {
    async child() {
      let text = "";
      const buffer = new Uint8Array(100);
      console.log("ready");
      while (!text.endsWith("two\n")) {
        const count = await Deno.stdin.read(buffer);
        if (count === null) return `it ended after ${text}`;
        text += new TextDecoder().decode(buffer.subarray(0, count));
      }
      return text;
    },
    async parent(child) {
      await until(() => child.printed.includes("ready"), "the child reads");
      // Deno may hold a duplicate of its standard input, so a pipe put in its place would not do: this one is the parent's.
      const input = await Deno.open("/proc/self/fd/0", { write: true });
      await input.write(new TextEncoder().encode("one\n"));
      await sleep(10);
      await input.write(new TextEncoder().encode("two\n"));
      input.close();
    },
    gives: "one\ntwo\n",
  },
  "standard output and error are written as streams": {
    async child() {
      const text = ReadableStream.from(["out ", "and on\n"]);
      await text.pipeThrough(new TextEncoderStream()).pipeTo(
        Deno.stdout.writable,
      );
      await Deno.stderr.write(new TextEncoder().encode("err\n"));
      return "done";
    },
    gives: "done",
    prints: ["out and on\n", "err\n"],
  },
};
