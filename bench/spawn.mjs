// child_process.spawn of /bin/true to its 'exit', and spawnSync: the same as spawn.c, for Node; each line says which, and how often.
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import process from "node:process";
import { createInterface } from "node:readline";

const kept = [];
for (let kib = Number(process.argv[2]); kib > 0; kib -= 2048) {
  kept.push(new Uint8Array(1 << 20).fill(1));
  kept.push(Array.from({ length: 20_000 }, (_, index) => ({ index })));
}

const options = { stdio: "inherit" };
const rounds = {
  spawn: () => once(spawn("/bin/true", options), "exit"),
  spawnSync: () => spawnSync("/bin/true", options),
};

console.log("ready");
for await (const line of createInterface(process.stdin)) {
  const [kind, count] = line.split(" ");
  const times = [];
  for (let i = 0; i < Number(count); i++) {
    const started = performance.now();
    await rounds[kind]();
    times.push((performance.now() - started) * 1000);
  }
  console.log(JSON.stringify(times));
}
