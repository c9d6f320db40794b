/**
 * A real shell in a web page, on this machine alone: Deno.serve, a WebSocket, xterm.js.
 *
 * Bytes go both ways as binary messages, and the size of the window as JSON. Where the browser cannot keep up, the program is
 * held back; when the page is closed, its terminal is hung up.
 *
 * A shell is whatever its user may do, and any page in the browser can talk to this machine: so nobody is served who does not
 * know the token in the address that is printed.
 *
 * Run it: deno task example:web-terminal [port] [program [arguments…]]
 */
import fit from "npm:@xterm/addon-fit@0.11.0/lib/addon-fit.js" with {
  type: "text",
};
import style from "npm:@xterm/xterm@6.0.0/css/xterm.css" with { type: "text" };
import xterm from "npm:@xterm/xterm@6.0.0/lib/xterm.js" with { type: "text" };
import { spawnPty } from "../exec/mod.ts";

const [port = "8000", program = "bash", ...args] = Deno.args;
const token = crypto.randomUUID();

/** How many bytes may wait to be sent before the program is held back. */
const WAITING_MAX = 1_048_576;

const page = `<!doctype html>
<meta charset="utf-8">
<title>${program}</title>
<link rel="icon" href="data:,">
<style>${style} html, body, #terminal { height: 100%; margin: 0; background: black; }</style>
<div id="terminal"></div>
<script>${xterm}</script>
<script>${fit}</script>
<script type="module">
  const terminal = new Terminal();
  const fit = new FitAddon.FitAddon();
  terminal.loadAddon(fit);
  terminal.open(document.getElementById("terminal"));
  const socket = new WebSocket("ws://" + location.host + "/shell" + location.search);
  socket.binaryType = "arraybuffer";
  const type = (data) => socket.send(new TextEncoder().encode(data));
  socket.onopen = () => {
    terminal.onData(type);
    terminal.onBinary((data) => socket.send(Uint8Array.from(data, (c) => c.charCodeAt(0))));
    terminal.onResize(({ cols, rows }) => socket.send(JSON.stringify({ columns: cols, rows })));
    addEventListener("resize", () => fit.fit());
    fit.fit();
    terminal.focus();
  };
  socket.onmessage = ({ data }) => terminal.write(new Uint8Array(data));
  socket.onclose = ({ reason }) => terminal.write("\\r\\n[" + (reason || "disconnected") + "]\\r\\n");
</script>
`;

const server = Deno.serve({
  hostname: "127.0.0.1",
  port: Number(port),
  onListen: (address) =>
    console.log(`http://${address.hostname}:${address.port}/?token=${token}`),
}, (request) => {
  const { pathname, searchParams } = new URL(request.url);
  if (searchParams.get("token") !== token) {
    return new Response("the address has a token\n", { status: 403 });
  }
  if (pathname === "/shell") return openShell(request);
  if (pathname !== "/") return new Response("not here\n", { status: 404 });
  return new Response(page, {
    headers: { "content-type": "text/html", "referrer-policy": "no-referrer" },
  });
});
await server.finished;

function openShell(request: Request): Response {
  if (request.headers.get("upgrade")?.toLowerCase() !== "websocket") {
    return new Response("a WebSocket is wanted\n", { status: 426 });
  }
  const { socket, response } = Deno.upgradeWebSocket(request);
  socket.binaryType = "arraybuffer";
  socket.onopen = () =>
    converse(socket).catch((error) => {
      console.error(error);
      // A reason has 123 bytes at most.
      socket.close(1011, `${error.message}`.slice(0, 40));
    });
  return response;
}

/** Runs the program for one page, until either of them is gone. */
async function converse(socket: WebSocket): Promise<void> {
  await using pty = spawnPty(program, args, {
    env: { TERM: "xterm-256color" },
  });
  const typing = pty.writable.getWriter();
  socket.onmessage = ({ data }) => {
    if (typeof data !== "string") {
      // What is typed after the program's end is for nobody.
      typing.write(new Uint8Array(data)).catch(() => {});
      return;
    }
    try {
      pty.resize(JSON.parse(data));
    } catch {
      // It has ended meanwhile, or this is not our page.
    }
  };
  const gone = Promise.withResolvers<"gone">();
  socket.onclose = () => gone.resolve("gone");
  socket.onerror = () => gone.resolve("gone");
  await Promise.race([gone.promise, show(pty.readable, socket)]);
  if (socket.readyState !== WebSocket.OPEN) return;
  const { code, signal } = await pty.status;
  socket.close(1000, signal ?? `exit code ${code}`);
}

async function show(
  output: ReadableStream<Uint8Array<ArrayBuffer>>,
  socket: WebSocket,
): Promise<void> {
  for await (const bytes of output) {
    while (socket.bufferedAmount > WAITING_MAX) {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    if (socket.readyState !== WebSocket.OPEN) return;
    socket.send(bytes);
  }
}
