/**
 * In a child where V8's worker threads could not be started anew: compiles WebAssembly on the calling thread.
 *
 * The functions that promise a module have those threads compile it, and so would never keep their promise. The synchronous
 * constructors do the same work, and report the same errors.
 */
export function compileOnThisThread(): void {
  // deno-lint-ignore require-await
  WebAssembly.compile = async (bytes) => new WebAssembly.Module(bytes);
  WebAssembly.instantiate = instantiate as typeof WebAssembly.instantiate;
  WebAssembly.compileStreaming = async (source) =>
    new WebAssembly.Module(await bytesOf(source));
  WebAssembly.instantiateStreaming = async (source, imports) => {
    const module = new WebAssembly.Module(await bytesOf(source));
    return { module, instance: new WebAssembly.Instance(module, imports) };
  };
}

// deno-lint-ignore require-await
async function instantiate(
  source: BufferSource | WebAssembly.Module,
  imports?: WebAssembly.Imports,
): Promise<WebAssembly.Instance | WebAssembly.WebAssemblyInstantiatedSource> {
  if (source instanceof WebAssembly.Module) {
    return new WebAssembly.Instance(source, imports);
  }
  const module = new WebAssembly.Module(source);
  return { module, instance: new WebAssembly.Instance(module, imports) };
}

/** The body of a response that says of itself that it is WebAssembly, as the standard asks. */
async function bytesOf(
  source: Response | PromiseLike<Response>,
): Promise<ArrayBuffer> {
  const response = await source;
  const type = response.headers.get("content-type")?.split(";")[0]?.trim();
  if (type?.toLowerCase() !== "application/wasm") {
    throw new TypeError(`Invalid WebAssembly content type: ${type ?? "none"}`);
  }
  if (!response.ok) {
    throw new TypeError(`Failed to receive WebAssembly: ${response.status}`);
  }
  return await response.arrayBuffer();
}
