import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { getpid, getppid } from "../../process/ids.ts";
import { ForkServer, forkServer } from "../../process/fork_server.ts";
import { kill } from "../../process/kill.ts";
import { close, pipe, read, write } from "../../ipc/mod.ts";
import { forkWithAsync, reap, withoutLeaks } from "../_helpers.ts";
import { decode } from "../ipc/_helpers.ts";

const never = () => new Promise<void>(() => {});

Deno.test(
  "forkServer() keeps a process as it was, which forks children that get an argument",
  withoutLeaks(async () => {
    const state = { value: "early" };
    await using server = await forkServer((argument: Map<string, number>) => {
      write(1, `${state.value} ${argument.get("n")} ${getppid()}`);
    });
    state.value = "late";
    const child = await server.fork(new Map([["n", 7]]), { stdout: "piped" });
    assertEquals(await child.text(), `early 7 ${server.pid}`);
    assert(child.pid !== server.pid && server.pid !== getpid());
  }),
);

Deno.test(
  "ForkServer.fork() tells how a child has ended, and what it has used",
  withoutLeaks(async () => {
    await using server = await forkServer(async (code: number) => {
      await new Promise((resolve) => setTimeout(resolve, 1));
      if (code < 0) kill(getpid(), -code);
      return code;
    });
    const children = await Promise.all([0, 3, -9].map((n) => server.fork(n)));
    const ends = await Promise.all(children.map(({ status }) => status));
    assertEquals(ends.map(({ code, signal }) => [code, signal]), [
      [0, null],
      [3, null],
      [137, "SIGKILL"],
    ]);
    assert(ends.every(({ rusage }) => rusage.maxrss > 1000));
  }),
);

Deno.test(
  "ForkServer.fork() gives children their streams, and descriptors of this process",
  withoutLeaks(async () => {
    await using server = await forkServer(async () => {
      const text = await new Response(Deno.stdin.readable).text();
      write(1, text.toUpperCase());
      write(2, "complaint");
    });
    const [reader, writer] = pipe();
    const options = {
      stdin: "piped",
      stdout: writer,
      stderr: "piped",
    } as const;
    const child = await server.fork(undefined, options);
    close(writer);
    const stdin = child.stdin.getWriter();
    await stdin.write(new TextEncoder().encode("loud"));
    await stdin.close();
    const { success, stderr } = await child.output();
    assert(success);
    assertEquals(decode(stderr), "complaint");
    assertEquals(decode(read(reader, 100)), "LOUD");
    close(reader);
  }),
);

Deno.test(
  "ForkServer's children can be killed, and end with the server's block",
  withoutLeaks(async () => {
    let other;
    {
      await using server = await forkServer(never);
      const child = await server.fork();
      other = await server.fork();
      child.kill("SIGKILL");
      assertEquals((await child.status).signal, "SIGKILL");
      assertThrows(() => child.kill(), TypeError, "already terminated");
    }
    assertEquals((await other.status).signal, "SIGTERM");
  }),
);

Deno.test(
  "ForkServer that dies rejects what nobody can tell any more",
  withoutLeaks(async () => {
    const server = await forkServer(never);
    const child = await server.fork(undefined, {
      parentDeathSignal: "SIGKILL",
    });
    kill(server.pid, "SIGKILL");
    await assertRejects(() => child.status, Error, "server has ended");
    await assertRejects(() => server.fork(), TypeError, "has ended");
    await server.close();
  }),
);

Deno.test(
  "ForkServer refuses arguments that cannot be cloned, wrong options, and whatever comes too late",
  withoutLeaks(async () => {
    await assertRejects(() => forkServer(3 as never), TypeError, "'body'");
    assertThrows(() => new ForkServer(Symbol(), {}), TypeError, "constructor");
    const server = await forkServer((_: unknown) => 4);
    await assertRejects(
      () => server.fork(() => {}, { stdout: "piped" }),
      DOMException,
    );
    await assertRejects(
      () => server.fork(1, { stdout: "pipe" as "piped" }),
      TypeError,
      "'stdout'",
    );
    assertEquals((await (await server.fork(1)).status).code, 4);
    await server.close();
    await server.close();
    await assertRejects(() => server.fork(1), TypeError, "closed");
  }),
);

Deno.test(
  "ForkServer is the parent's alone in a forked child",
  withoutLeaks(async () => {
    await using server = await forkServer(() => 0);
    const child = await forkWithAsync(async () => {
      await assertRejects(() => server.fork(), TypeError, "of the parent");
    });
    assertEquals(reap(child), 0);
    assertEquals((await (await server.fork()).status).code, 0);
  }),
);
