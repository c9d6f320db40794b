/** What forked children do where no test runner is at work: the first argument says what. */
import { close, pipe, readableStream, write } from "../../ipc/mod.ts";
import { forkChild } from "../../process/mod.ts";

function fail(): never {
  throw new Error("boom");
}

const never = () => new Promise<void>(() => {});

const bodies: Record<string, () => number | void | Promise<number | void>> = {
  throws: fail,
  rejects: async () => {
    await new Promise((resolve) => setTimeout(resolve, 1));
    fail();
  },
  "throws-in-timer": () => {
    setTimeout(fail);
    return never();
  },
  "number": () => 9,
  "nothing": () => {},
  "exit-code": () => {
    Deno.exitCode = 7;
  },
  "exit": () => {
    Deno.exit(11);
  },
  "too-large": () => 256,
};

const [mode = ""] = Deno.args;

if (mode === "plain") fail();
else if (mode === "unref") {
  const child = await forkChild(never, { stdout: "piped", stderr: "null" });
  child.stdout.getReader().read();
  child.unref();
  console.log(child.pid);
} else if (mode === "ref") {
  const child = await forkChild(
    () => new Promise<number>((resolve) => setTimeout(resolve, 50, 3)),
  );
  child.unref();
  child.ref();
  child.status.then(({ code }) => console.log("status", code));
} else if (mode === "detached") {
  const child = await forkChild(never, {
    stdin: "null",
    stdout: "null",
    stderr: "null",
  });
  child.unref();
  console.log(child.pid);
} else if (mode === "console") {
  const child = await forkChild(async () => {
    const stdin = await new Response(Deno.stdin.readable).text();
    console.log(`read ${stdin}`);
    await Deno.stdout.write(new TextEncoder().encode("written\n"));
    console.error("complained");
  }, { stdin: "piped", stdout: "piped", stderr: "piped" });
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode("你好"));
  await writer.close();
  const { code, stdout, stderr } = await child.output();
  const [out, err] = [stdout, stderr].map((b) => new TextDecoder().decode(b));
  console.log(JSON.stringify({ code, out, err }));
} else if (mode === "close-fds") {
  const child = await forkChild(async () => {
    await new Promise((resolve) => setTimeout(resolve, 1));
    console.log("timer");
    // Through the pool's threads, and by way of Deno's caches.
    const { greeting } = await import("./_greeting.ts");
    const [reader, writer] = pipe();
    write(writer, greeting);
    close(writer);
    const { length } = await new Response(readableStream(reader)).text();
    console.log("read", length);
  }, { closeFds: true });
  console.log("code", (await child.status).code);
} else if (mode === "prevented") {
  addEventListener("unhandledrejection", (event) => event.preventDefault());
  const child = await forkChild(fail);
  console.log((await child.status).code);
} else {
  addEventListener("unload", () => console.log("unload"));
  const child = await forkChild(bodies[mode]!);
  console.log("code", (await child.status).code);
}
