import { pbkdf2, randomBytes, scrypt } from "node:crypto";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { readFile as readFileWithCallback } from "node:fs";
import { promisify } from "node:util";
import { gunzip, gzip } from "node:zlib";
import type { Capabilities } from "../_capability.ts";
import { freshPath } from "../_scratch.ts";

/** Node's own modules, those that need threads or the event loop. */
export const node: Capabilities = {
  "node:fs": {
    async child() {
      const directory = await mkdtemp(freshPath());
      await writeFile(`${directory}/file`, "text");
      const text = await readFile(`${directory}/file`, "utf8");
      const bytes = await promisify(readFileWithCallback)(`${directory}/file`);
      const names = await readdir(directory);
      await rm(directory, { recursive: true });
      return [text, bytes.length, names];
    },
    gives: ["text", 4, ["file"]],
  },
  "node:crypto": {
    async child() {
      const [a, b, c] = await Promise.all([
        promisify(scrypt)("password", "salt", 32) as Promise<Uint8Array>,
        promisify(pbkdf2)("password", "salt", 1, 32, "sha256"),
        promisify(randomBytes)(8),
      ]);
      return [a[0], b[0], c!.length];
    },
    gives: [0x74, 0x12, 8],
  },
  "node:zlib": {
    async child() {
      const packed = await promisify(gzip)("x".repeat(10_000));
      const text = await promisify(gunzip)(packed);
      return [packed.length < 100, text.length];
    },
    gives: [true, 10_000],
  },
};
