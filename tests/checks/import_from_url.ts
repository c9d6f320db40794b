import { fromFileUrl } from "@std/path";
import { runImporter } from "./import_program.ts";

const root = fromFileUrl(new URL("../../", import.meta.url));
const headers = { "content-type": "application/typescript" };

/** Serves the repository on loopback, and imports its modules from there with no permission but for FFI and that import. */
export async function importFromUrl(): Promise<string | undefined> {
  await using server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    async (request) => {
      const path = new URL(request.url).pathname.slice(1);
      try {
        const text = await Deno.readTextFile(`${root}${path}`);
        return new Response(text, { headers });
      } catch {
        return new Response("not found", { status: 404 });
      }
    },
  );
  const { port } = server.addr as Deno.NetAddr;
  const origin = `http://127.0.0.1:${port}`;
  const { exports } = JSON.parse(await Deno.readTextFile(`${root}deno.json`));
  return await runImporter({
    name: "library",
    // An import map in which each export stands for a URL, as in a program that writes the URLs out.
    config: {
      imports: Object.fromEntries(
        Object.entries<string>(exports).map(([name, path]) => [
          name.replace(".", "library"),
          path.replace(".", origin),
        ]),
      ),
    },
    args: [`--allow-import=127.0.0.1:${port}`],
  });
}
