import { fromFileUrl } from "@std/path";

const root = fromFileUrl(new URL("../../", import.meta.url));

/** What a program that has nothing but the library's URL does with it: every floor of the house is used once. */
const program = (origin: string) => `
import { exec, ipc, PosixError, process, wait } from "${origin}/mod.ts";
const [from, to] = ipc.pipe();
const child = process.fork();
if (child === 0) {
  ipc.dup2(to, 1);
  exec.execlp("echo", "echo", "over a pipe");
}
ipc.close(to);
const text = new TextDecoder().decode(ipc.readAll(from));
ipc.close(from);
const { status } = wait.waitpid(child)!;
try {
  wait.waitpid(child);
} catch (error) {
  console.log(text.trim(), status.kind, error instanceof PosixError && error.code);
}
`;

/** Serves the repository on loopback, and imports `mod.ts` from there with no permission but for FFI and that import. */
export async function importFromUrl(): Promise<string | undefined> {
  let origin = "";
  await using server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    async (request) => {
      const { pathname } = new URL(request.url);
      const headers = { "content-type": "application/typescript" };
      if (pathname === "/program.ts") {
        return new Response(program(origin), { headers });
      }
      try {
        const text = await Deno.readTextFile(`${root}${pathname.slice(1)}`);
        return new Response(text, { headers });
      } catch {
        return new Response("not found", { status: 404 });
      }
    },
  );
  const { port } = server.addr as Deno.NetAddr;
  origin = `http://127.0.0.1:${port}`;
  const directory = await Deno.makeTempDir();
  try {
    const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: [
        "run",
        "--no-prompt",
        "--no-config",
        "--allow-ffi",
        `--allow-import=127.0.0.1:${port}`,
        `${origin}/program.ts`,
      ],
      cwd: directory,
      env: { DENO_DIR: directory, NO_COLOR: "1" },
    }).output();
    const decoder = new TextDecoder();
    const printed = decoder.decode(stdout).trim();
    if (printed === "over a pipe exited ECHILD") return undefined;
    return `printed ${JSON.stringify(printed)}\n${decoder.decode(stderr)}`;
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}
