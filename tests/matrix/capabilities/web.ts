import type { Capabilities } from "../_capability.ts";

/** `(module (func (export "add") (param i32 i32) (result i32) local.get 0 local.get 1 i32.add))` */
const addition = new Uint8Array([
  ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
  ...[1, 7, 1, 0x60, 2, 0x7f, 0x7f, 1, 0x7f],
  ...[3, 2, 1, 0],
  ...[7, 7, 1, 3, 0x61, 0x64, 0x64, 0, 0],
  ...[10, 9, 1, 7, 0, 0x20, 0, 0x20, 1, 0x6a, 0x0b],
]);

function add({ exports }: WebAssembly.Instance): number {
  return (exports.add as (a: number, b: number) => number)(20, 22);
}

function wasmResponse(): Response {
  const headers = { "content-type": "application/wasm" };
  return new Response(addition.slice(), { headers });
}

/** What browsers have too. */
export const web: Capabilities = {
  "crypto.subtle: digests, keys, signatures": {
    async child() {
      const data = new TextEncoder().encode("abc");
      const digest = new Uint8Array(
        await crypto.subtle.digest("SHA-256", data),
      );
      const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
      const { privateKey, publicKey } = await crypto.subtle.generateKey(
        algorithm,
        false,
        ["sign", "verify"],
      );
      const signature = await crypto.subtle.sign(algorithm, privateKey, data);
      return [
        digest[0],
        await crypto.subtle.verify(algorithm, publicKey, signature, data),
        await crypto.subtle.verify(algorithm, publicKey, signature, digest),
      ];
    },
    gives: [0xba, true, false],
  },
  "CompressionStream there and back": {
    async child() {
      const text = "compress me, ".repeat(10_000);
      const packed = await new Response(
        new Response(text).body!.pipeThrough(new CompressionStream("gzip")),
      ).arrayBuffer();
      const unpacked = await new Response(
        new Response(packed).body!.pipeThrough(new DecompressionStream("gzip")),
      ).text();
      return [packed.byteLength < 2000, unpacked === text];
    },
    gives: [true, true],
  },
  "structuredClone and MessageChannel": {
    async child() {
      const { port1, port2 } = new MessageChannel();
      const buffer = new ArrayBuffer(8);
      const received = new Promise<MessageEvent>((resolve) =>
        port2.onmessage = resolve
      );
      port1.postMessage(
        structuredClone(new Map([["a", buffer]])),
        [port1]
          .slice(1),
      );
      const { data } = await received;
      port1.close();
      port2.close();
      return [data instanceof Map, data.get("a").byteLength];
    },
    gives: [true, 8],
  },
  "BroadcastChannel": {
    async child() {
      const [one, two] = [new BroadcastChannel("x"), new BroadcastChannel("x")];
      const received = new Promise((resolve) =>
        two.onmessage = ({ data }) => resolve(data)
      );
      one.postMessage("to all");
      const data = await received;
      one.close();
      two.close();
      return data;
    },
    gives: "to all",
  },
  "WebAssembly, synchronous": {
    child() {
      return add(new WebAssembly.Instance(new WebAssembly.Module(addition)));
    },
    gives: 42,
  },
  "WebAssembly.compile and instantiate": {
    async child() {
      const module = await WebAssembly.compile(addition);
      const { instance } = await WebAssembly.instantiate(addition);
      return [add(await WebAssembly.instantiate(module)), add(instance)];
    },
    gives: [42, 42],
  },
  "WebAssembly.compileStreaming and instantiateStreaming": {
    async child() {
      const module = await WebAssembly.compileStreaming(wasmResponse());
      const { instance } = await WebAssembly.instantiateStreaming(
        Promise.resolve(wasmResponse()),
      );
      return [add(new WebAssembly.Instance(module)), add(instance)];
    },
    gives: [42, 42],
  },
  "WebAssembly refuses what is wrong": {
    async child() {
      const wrong = addition.slice(0, -3);
      const settled = await Promise.allSettled([
        WebAssembly.compile(wrong),
        WebAssembly.instantiate(wrong),
        WebAssembly.compileStreaming(new Response("")),
      ]);
      return settled.map((result) =>
        result.status === "rejected" ? result.reason.name : result.status
      );
    },
    gives: ["CompileError", "CompileError", "TypeError"],
  },
};
