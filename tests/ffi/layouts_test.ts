import { assertEquals, assertGreater } from "@std/assert";
import type { Layout } from "../../ffi/layouts.ts";
import { withoutLeaks } from "../_helpers.ts";
import { evaluate, targets } from "./_compiler.ts";
import { definitions } from "./_definitions.ts";

for (const { arch, compiler, note } of targets) {
  Deno.test({
    name: `layouts have the sizes and offsets of C's headers on ${note}`,
    ignore: compiler === null,
    fn: withoutLeaks(async () => {
      const layouts = Object.values(definitions(arch).layouts);
      assertGreater(layouts.length, 6);
      assertEquals(layouts, await inC(compiler!, layouts));
    }),
  });
}

/** The same layouts with the numbers of the C compiler. */
async function inC(compiler: string, layouts: Layout[]): Promise<Layout[]> {
  const headers = new Set(layouts.map((layout) => layout.header));
  const expressions = layouts.flatMap(({ type, fields }) => [
    `sizeof(${type})`,
    ...Object.keys(fields).map((field) => `offsetof(${type}, ${field})`),
  ]);
  const numbers = (await evaluate(
    compiler,
    ["stddef.h", ...headers],
    expressions,
  )).values();
  const next = () => numbers.next().value!;
  return layouts.map(({ type, header, fields }) => ({
    type,
    header,
    size: next(),
    fields: Object.fromEntries(
      Object.keys(fields).map((field) => [field, next()]),
    ),
  }));
}
