import { assertEquals } from "@std/assert";
import * as constants from "../../ffi/constants.ts";
import * as ipc from "../../ipc/mod.ts";

Deno.test("ipc exports every O_* and POLL* constant, and PIPE_BUF", () => {
  const wanted = Object.entries(constants).filter(([name]) =>
    /^(O_|POLL|PIPE_BUF$)/.test(name)
  );
  const exported = Object.entries(ipc).filter(([name]) => /^[A-Z]/.test(name));
  assertEquals(Object.fromEntries(exported), Object.fromEntries(wanted));
});
