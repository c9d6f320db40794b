import { fromFileUrl } from "@std/path";

/** Checks that each program under `examples/` has a task, and each such task a program; the tour is no example. */
export async function everyTaskIsThere(): Promise<string | undefined> {
  const root = fromFileUrl(new URL("../../", import.meta.url));
  const { tasks } = JSON.parse(await Deno.readTextFile(`${root}deno.json`));
  const named = Object.entries<string>(tasks)
    .filter(([name]) => name.startsWith("example:"))
    .map(([name, command]) => {
      const file = `${name.slice("example:".length).replaceAll("-", "_")}.ts`;
      return command.includes(`examples/${file}`)
        ? file
        : `${name} runs ${file}?`;
    });
  const present: string[] = [];
  for await (const { name } of Deno.readDir(`${root}examples`)) {
    if (name === "tour.ts") continue;
    if (name.endsWith(".ts") && !name.startsWith("_")) present.push(name);
  }
  const odd = [
    ...named.filter((file) => !present.includes(file)),
    ...present.filter((file) => !named.includes(file)),
  ];
  return odd.length === 0 ? undefined : `without a twin: ${odd.join(", ")}`;
}
