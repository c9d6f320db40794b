import { spawn } from "node:child_process";
import type { Capabilities } from "../_capability.ts";

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
