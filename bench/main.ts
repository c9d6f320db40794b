/**
 * Measures the library side by side with its peers: `deno task bench` for all cases, `deno task bench fork call` for some.
 *
 * @module
 */

import { availableParallelism, cpus, loadavg, release } from "node:os";

const cases: Record<string, () => Promise<{ run(): Promise<void> }>> = {
  call: () => import("./call.ts"),
  import: () => import("./import.ts"),
  pipe: () => import("./pipe.ts"),
  fork: () => import("./fork.ts"),
};

const names = Deno.args.length === 0 ? Object.keys(cases) : Deno.args;
for (const name of names) {
  if (Object.hasOwn(cases, name)) continue;
  console.error(
    `No case "${name}": there are ${Object.keys(cases).join(", ")}`,
  );
  Deno.exit(1);
}

console.log(
  `Deno ${Deno.version.deno}, Linux ${release()}, ${availableParallelism()} × ${
    cpus()[0]?.model ?? Deno.build.arch
  }, load ${loadavg()[0]!.toFixed(1)} at the start`,
);
for (const name of names) {
  const { run } = await cases[name]!();
  await run();
}
