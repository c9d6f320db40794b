import { assertEquals } from "@std/assert";
import { kill, killpg } from "../../process/mod.ts";
import { withoutLeaks } from "../_helpers.ts";
import { runCleanly, startExample } from "./_run.ts";

const permissions = ["--allow-net=127.0.0.1"];

Deno.test(
  "example prefork has each of its processes answer, and stops them all on SIGTERM",
  withoutLeaks(async () => {
    await using server = startExample("prefork", ["3", "0"], {
      permissions,
      deadline: 30_000,
    });
    await server.until(/(PID \d+\n){3}/);
    const [, port] = await server.until(/127\.0\.0\.1:(\d+)/);
    const pids = [...server.stdout.matchAll(/PID (\d+)/g)].map(([, pid]) =>
      pid!
    );

    const client = await runCleanly(
      "../tests/examples/_http_client",
      [port!, "3"],
      { permissions, deadline: 20_000 },
    );
    assertEquals(client.stdout.trim().split(" ").toSorted(), pids.toSorted());

    kill(server.pid, "SIGTERM");
    const { stdout, stderr, raw } = await server.finish();
    assertEquals(stderr, "");
    assertEquals(raw, 0);
    for (const pid of pids) {
      assertEquals(
        stdout.includes(`PID ${pid} ended by SIGTERM`),
        true,
        stdout,
      );
    }
  }),
);

Deno.test(
  "example prefork ends without a complaint when Ctrl+C reaches all of it at once",
  withoutLeaks(async () => {
    await using server = startExample("prefork", ["3", "0"], {
      permissions,
      deadline: 30_000,
    });
    await server.until(/(PID \d+\n){3}/);
    killpg(server.pid, "SIGINT");
    const { stdout, stderr, raw } = await server.finish();
    assertEquals({ stderr, raw }, { stderr: "", raw: 0 });
    assertEquals(stdout.match(/ ended by SIG(INT|TERM)$/gm)?.length, 3, stdout);
  }),
);
