/**
 * Builds the HTML documentation of every entry point, in the directory `site`.
 *
 * Run as `deno task doc`.
 *
 * @module
 */

import { dirname, fromFileUrl, join } from "@std/path";

const root = fromFileUrl(new URL("../../", import.meta.url));

/** Checks that the site builds without a warning, and that each link within it leads to one of its files. */
export async function everyLinkLeadsSomewhere(): Promise<string | undefined> {
  const site = await Deno.makeTempDir();
  try {
    const pages = await buildSite(site);
    const files = new Set(await Array.fromAsync(filesOf(site)));
    const broken: string[] = [];
    for (const [file, page] of pages) {
      for (const link of linksOf(page)) {
        if (files.has(join(dirname(file), link))) continue;
        broken.push(`${file.slice(site.length)} leads to ${link}`);
      }
    }
    return broken.length === 0 ? undefined : broken.join("\n");
  } finally {
    await Deno.remove(site, { recursive: true });
  }
}

/** The files that a page leads to, within its site. */
function linksOf(page: string): Set<string> {
  const links = page.matchAll(/ (?:href|src)="([^"]*)"/g)
    .map(([, link]) => link!.replaceAll("&#x2F;", "/").replace(/#.*/, ""))
    .filter((link) => link !== "" && !/^[a-z]+:/.test(link));
  return new Set(links.map(decodeURIComponent));
}

async function* filesOf(directory: string): AsyncGenerator<string> {
  for await (const { name, isDirectory } of Deno.readDir(directory)) {
    const path = join(directory, name);
    if (isDirectory) yield* filesOf(path);
    else yield path;
  }
}

/** Builds the site; gives its pages. */
async function buildSite(site: string): Promise<Map<string, string>> {
  const { name, exports } = JSON.parse(
    await Deno.readTextFile(`${root}deno.json`),
  ) as { name: string; exports: Record<string, string> };
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["doc", "--html", `--name=${name}`, `--output=${site}`]
      .concat(Object.values(exports)),
    cwd: root,
    env: { NO_COLOR: "1" },
  }).output();
  const decoder = new TextDecoder();
  const said = decoder.decode(stdout) + decoder.decode(stderr);
  if (!success || !/^Written \d+ files to ".*"\n$/.test(said)) {
    throw new Error(`Cannot build the documentation:\n${said}`);
  }
  const pages = new Map<string, string>();
  await Promise.all((await Array.fromAsync(filesOf(site))).map(async (file) => {
    if (!file.endsWith(".html")) return;
    const page = mended(await Deno.readTextFile(file), name, exports);
    await Deno.writeTextFile(file, page);
    pages.set(file, page);
  }));
  return pages;
}

/**
 * A page of `deno doc`, with the package named in the import that it shows, where only the entry point is; and with links to
 * files where they lead to directories, as no server is there to look for their index.
 */
function mended(
  page: string,
  name: string,
  exports: Record<string, string>,
): string {
  return page.replaceAll(
    /(?<= from &quot;)(\.|[a-z]+)(?=&quot;)/g,
    (entry) => {
      if (entry === ".") return name;
      return `./${entry}` in exports ? `${name}/${entry}` : entry;
    },
  ).replaceAll(/(?<= href="(?:\.\.?&#x2F;)+)(?=")/g, "index.html");
}

if (import.meta.main) {
  const site = `${root}site`;
  // What an earlier version had may be there no more.
  await Deno.remove(site, { recursive: true }).catch((error) => {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  });
  const { size } = await buildSite(site);
  console.log(`${size} pages, from ${site}/index.html on`);
}
