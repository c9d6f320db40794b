import { fromFileUrl } from "@std/path";
import { runImporter } from "./import_program.ts";

const root = fromFileUrl(new URL("../../", import.meta.url));

/** Imports the library from a directory, under names that an import map gives its files. */
export async function importFromPath(): Promise<string | undefined> {
  const { name, exports } = JSON.parse(
    await Deno.readTextFile(`${root}deno.json`),
  );
  return await runImporter({
    name,
    config: {
      imports: Object.fromEntries(
        Object.entries<string>(exports).map(([inner, path]) => [
          inner.replace(".", name),
          path.replace("./", root),
        ]),
      ),
    },
  });
}

/** Imports it by its JSR name from a directory that stands in for what the registry has, as one does who works on both. */
export async function importFromLink(): Promise<string | undefined> {
  const { name, version } = JSON.parse(
    await Deno.readTextFile(`${root}deno.json`),
  );
  return await runImporter({
    name,
    config: {
      imports: { [name]: `jsr:${name}@^${version}` },
      links: [root],
    },
  });
}
