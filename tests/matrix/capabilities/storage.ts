/// <reference lib="deno.unstable" />
import type { Capabilities } from "../_capability.ts";
import { freshPath } from "../_scratch.ts";

async function useKv(path: string): Promise<unknown> {
  using kv = await Deno.openKv(path);
  await kv.set(["a", 1], "one");
  const { ok } = await kv.atomic().set(["a", 2], "two").commit();
  const values: unknown[] = [];
  for await (const { value } of kv.list({ prefix: ["a"] })) values.push(value);
  return [ok, values];
}

/** Databases. */
export const storage: Capabilities = {
  "node:sqlite": {
    since: "2.2.0",
    async child() {
      const { DatabaseSync } = await import("node:sqlite");
      const database = new DatabaseSync(freshPath(".db"));
      database.exec("CREATE TABLE t (n INTEGER)");
      const insert = database.prepare("INSERT INTO t VALUES (?)");
      for (let n = 0; n < 100; n++) insert.run(n);
      const row = database.prepare("SELECT sum(n) AS sum FROM t").get();
      database.close();
      return row;
    },
    gives: { sum: 4950 },
  },
  "Deno.openKv in memory": {
    child: () => useKv(":memory:"),
    gives: [true, ["one", "two"]],
  },
  "Deno.openKv with a file": {
    child: () => useKv(freshPath(".kv")),
    gives: [true, ["one", "two"]],
  },
};
