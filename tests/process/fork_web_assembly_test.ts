import { assert, assertEquals, assertRejects } from "@std/assert";
import { forkWithAsync, reap, withoutLeaks } from "../_helpers.ts";

// (module (func (export "answer") (result i32) i32.const 42))
const MODULE = Uint8Array.from(
  atob("AGFzbQEAAAABBQFgAAF/AwIBAAcKAQZhbnN3ZXIAAAoGAQQAQSoL"),
  (character) => character.charCodeAt(0),
);

function response(type = "application/wasm"): Response {
  return new Response(MODULE, { headers: { "content-type": type } });
}

function answer(instance: WebAssembly.Instance): unknown {
  return (instance.exports.answer as () => number)();
}

Deno.test(
  "a forked child keeps the promises of WebAssembly",
  withoutLeaks(async () => {
    const child = await forkWithAsync(async () => {
      const module = await WebAssembly.compile(MODULE);
      assertEquals(answer(await WebAssembly.instantiate(module)), 42);
      const both = await WebAssembly.instantiate(MODULE);
      assert(both.module instanceof WebAssembly.Module);
      assertEquals(answer(both.instance), 42);
      const streamed = await WebAssembly.compileStreaming(response());
      assertEquals(answer(new WebAssembly.Instance(streamed)), 42);
      const { instance } = await WebAssembly.instantiateStreaming(
        Promise.resolve(response()),
      );
      assertEquals(answer(instance), 42);
    });
    assertEquals(reap(child), 0);
  }),
);

Deno.test(
  "a forked child rejects what is no WebAssembly",
  withoutLeaks(async () => {
    const child = await forkWithAsync(async () => {
      const nonsense = new Uint8Array([1, 2, 3, 4]);
      await assertRejects(
        () => WebAssembly.compile(nonsense),
        WebAssembly.CompileError,
      );
      await assertRejects(
        () => WebAssembly.instantiate(nonsense),
        WebAssembly.CompileError,
      );
      await assertRejects(
        () => WebAssembly.compileStreaming(response("text/plain")),
        TypeError,
        "content type",
      );
    });
    assertEquals(reap(child), 0);
  }),
);
