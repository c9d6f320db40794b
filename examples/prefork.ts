/**
 * A server that forks before it serves, as Apache and PostgreSQL do: one socket listens, and several processes accept from it.
 *
 * The kernel gives each connection to one of them. SIGTERM or SIGINT to the parent stops them all.
 *
 * Run it: deno task example:prefork [processes] [port], and then: curl http://127.0.0.1:8000
 */
import { forkChild, getpid } from "../process/mod.ts";

const processes = Number(Deno.args[0] ?? 4);
const port = Number(Deno.args[1] ?? 8000);

const listener = Deno.listen({ hostname: "127.0.0.1", port });

const children = [];
for (let i = 0; i < processes; i++) {
  children.push(await forkChild(() => serve(listener)));
}
listener.close(); // the children have it

const { promise: stopped, resolve: stop } = Promise.withResolvers<void>();
Deno.addSignalListener("SIGTERM", stop);
Deno.addSignalListener("SIGINT", stop);
const address = listener.addr as Deno.NetAddr;
console.log(`http://127.0.0.1:${address.port} is served by`);
console.log(children.map((child) => `PID ${child.pid}`).join("\n"));

await stopped;
for (const child of children) {
  try {
    child.kill("SIGTERM");
  } catch {
    // It has ended: Ctrl+C goes to all processes of the group.
  }
}
for (const child of children) {
  const { signal } = await child.status;
  console.log(`PID ${child.pid} ended by ${signal}`);
}
Deno.exit();

async function serve(listener: Deno.Listener): Promise<void> {
  for await (const connection of listener) {
    await connection.read(new Uint8Array(4096));
    const body = `answered by PID ${getpid()}\n`;
    await connection.write(new TextEncoder().encode(
      `HTTP/1.1 200 OK\r\ncontent-length: ${body.length}\r\nconnection: close\r\n\r\n${body}`,
    ));
    connection.close();
  }
}
