import { Buffer } from "node:buffer";
import { get } from "node:http";
import { type AddressInfo, connect, createServer } from "node:net";
import type { Capabilities } from "../_capability.ts";
import { certificate, privateKey } from "../_certificate.ts";
import { freshPath } from "../_scratch.ts";

const hostname = "127.0.0.1";
const quiet = { hostname, port: 0, onListen: () => {} };

async function echoOnce(listener: Deno.Listener<Deno.Conn>): Promise<void> {
  const connection = await listener.accept();
  await connection.readable.pipeTo(connection.writable);
  listener.close();
}

async function ask(connection: Deno.Conn & { closeWrite(): Promise<void> }) {
  await connection.write(new TextEncoder().encode("echo?"));
  await connection.closeWrite();
  return await new Response(connection.readable).text();
}

/** The network, within this machine. */
export const network: Capabilities = {
  "Deno.serve and fetch": {
    async child() {
      const server = Deno.serve(quiet, async (request) => {
        return new Response(`${request.method} ${await request.text()}`);
      });
      const url = `http://${hostname}:${server.addr.port}/`;
      const answers = await Promise.all(
        Array.from({ length: 20 }, async (_, i) => {
          const response = await fetch(url, { method: "POST", body: `${i}` });
          return await response.text() === `POST ${i}`;
        }),
      );
      await server.shutdown();
      return answers.filter(Boolean).length;
    },
    gives: 20,
  },
  "TCP: Deno.listen and Deno.connect": {
    async child() {
      const listener = Deno.listen({ hostname, port: 0 });
      const { port } = listener.addr as Deno.NetAddr;
      const echo = echoOnce(listener);
      const answer = await ask(await Deno.connect({ hostname, port }));
      await echo;
      return answer;
    },
    gives: "echo?",
  },
  "Unix sockets": {
    async child() {
      const address = { transport: "unix", path: freshPath(".sock") } as const;
      const echo = echoOnce(Deno.listen(address));
      const answer = await ask(await Deno.connect(address));
      await echo;
      return answer;
    },
    gives: "echo?",
  },
  "a host name is resolved": {
    async child() {
      const listener = Deno.listen({ hostname: "localhost", port: 0 });
      const { port } = listener.addr as Deno.NetAddr;
      const echo = echoOnce(listener);
      const answer = await ask(
        await Deno.connect({ hostname: "localhost", port }),
      );
      await echo;
      return answer;
    },
    gives: "echo?",
  },
  "WebSocket, both sides": {
    async child() {
      const server = Deno.serve(quiet, (request) => {
        const { socket, response } = Deno.upgradeWebSocket(request);
        socket.onmessage = ({ data }) => socket.send(`${data}!`);
        return response;
      });
      const client = new WebSocket(`ws://${hostname}:${server.addr.port}/`);
      const answer = await new Promise((resolve, reject) => {
        client.onopen = () => client.send("hello");
        client.onmessage = ({ data }) => resolve(data);
        client.onerror = (event) => reject((event as ErrorEvent).error);
      });
      const closed = new Promise((resolve) => client.onclose = resolve);
      client.close();
      await closed;
      await server.shutdown();
      return answer;
    },
    gives: "hello!",
  },
  "TLS, both sides": {
    async child() {
      const server = Deno.serve(
        { ...quiet, cert: certificate, key: privateKey },
        () => new Response("secret"),
      );
      const client = Deno.createHttpClient({ caCerts: [certificate] });
      const url = `https://localhost:${server.addr.port}/`;
      const text = await (await fetch(url, { client })).text();
      client.close();
      await server.shutdown();
      return text;
    },
    gives: "secret",
  },
  "node:net": {
    child() {
      const server = createServer((socket) => socket.pipe(socket));
      return new Promise((resolve) =>
        server.listen(0, hostname, () => {
          const { port } = server.address() as AddressInfo;
          const client = connect(port, hostname, () => client.write("echo?"));
          const chunks: Uint8Array[] = [];
          client.on("data", (chunk: Uint8Array) => {
            chunks.push(chunk);
            client.end();
          });
          client.on("close", () => {
            server.close(() => resolve(Buffer.concat(chunks).toString()));
          });
        })
      );
    },
    gives: "echo?",
  },
  "node:http": {
    async child() {
      const server = Deno.serve(quiet, () => new Response("over node"));
      const text = await new Promise((resolve, reject) => {
        const url = `http://${hostname}:${server.addr.port}/`;
        get(url, { agent: false }, (response) => {
          let text = "";
          response.on("data", (chunk: Uint8Array) => text += chunk);
          response.on("end", () => resolve(text));
        }).on("error", reject);
      });
      await server.shutdown();
      return text;
    },
    gives: "over node",
  },
};
