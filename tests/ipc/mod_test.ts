import { assertEquals } from "@std/assert";
import * as constants from "../../ffi/constants.ts";
import * as ipc from "../../ipc/mod.ts";

Deno.test("ipc exports every O_* and POLL* constant, and PIPE_BUF", () => {
  const those = (values: object) =>
    Object.fromEntries(
      Object.entries(values)
        .filter(([name]) => /^(O_|POLL|PIPE_BUF$)/.test(name)),
    );
  assertEquals(those(ipc), those(constants));
});
