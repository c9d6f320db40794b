import { fromFileUrl } from "@std/path";
import { runImporter } from "./import_program.ts";

const root = fromFileUrl(new URL("../../", import.meta.url));

/**
 * Publishes the library to a registry of its own on loopback, and imports it from there by its JSR name.
 *
 * The registry has just what `deno publish` would upload, so that a file that is missing from the package is missing there.
 */
export async function importFromJsr(): Promise<string | undefined> {
  const { name, version, exports } = JSON.parse(
    await Deno.readTextFile(`${root}deno.json`),
  );
  const files = await published();
  const answers = new Map<string, Uint8Array<ArrayBuffer>>();
  const manifest: Record<string, { size: number; checksum: string }> = {};
  for (const path of files) {
    const bytes = await Deno.readFile(`${root}${path}`);
    answers.set(`/${name}/${version}/${path}`, bytes);
    const checksum = `sha256-${await sha256(bytes)}`;
    manifest[`/${path}`] = { size: bytes.length, checksum };
  }
  const [scope, bare] = name.slice(1).split("/");
  answers.set(
    `/${name}/meta.json`,
    json({ scope, name: bare, latest: version, versions: { [version]: {} } }),
  );
  answers.set(`/${name}/${version}_meta.json`, json({ manifest, exports }));
  await using server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    (request) => {
      const bytes = answers.get(decodeURI(new URL(request.url).pathname));
      return new Response(bytes ?? null, {
        status: bytes === undefined ? 404 : 200,
      });
    },
  );
  const { port } = server.addr as Deno.NetAddr;
  const registry = `http://127.0.0.1:${port}/`;
  return await runImporter({
    name,
    config: {
      imports: { [name]: `jsr:${name}@^${version}` },
    },
    env: { JSR_URL: registry },
  });
}

/** The files that `deno publish` would upload, from what it says when it does everything but that. */
async function published(): Promise<string[]> {
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["publish", "--dry-run", "--allow-dirty", "--no-check"],
    cwd: root,
    env: { NO_COLOR: "1" },
  }).output();
  const printed = new TextDecoder().decode(stderr);
  const prefix = new URL("../../", import.meta.url).href;
  const files = printed.matchAll(/^ *(file:\S+) \([\d.]+\w+\)$/gm)
    .map(([, url]) => decodeURI(url!.slice(prefix.length))).toArray();
  if (success && files.length > 0) return files;
  throw new Error(`deno publish --dry-run says:\n${printed}`);
}

async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", bytes);
  return new Uint8Array(digest).toHex();
}

function json(value: unknown): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(JSON.stringify(value));
}
