import { assertEquals, assertThrows } from "@std/assert";
import { close, open } from "../../ipc/descriptors.ts";
import { O_RDONLY } from "../../ipc/mod.ts";
import { openpty, ttyname } from "../../ipc/terminals.ts";
import { withoutLeaks } from "../_helpers.ts";
import { assertRefused, CLOSED_FD } from "./_helpers.ts";

Deno.test(
  "ttyname() gives the path of a terminal",
  withoutLeaks(() => {
    const { controller, terminal, name } = openpty();
    assertEquals(ttyname(terminal), name);
    close(terminal);
    close(controller);
  }),
);

Deno.test(
  "ttyname() throws ENOTTY for what is no terminal, and EBADF for what is not open",
  withoutLeaks(() => {
    const fd = open("/dev/null", O_RDONLY);
    const error = assertRefused(() => ttyname(fd), "ENOTTY", "ttyname_r");
    assertEquals(
      error.message.startsWith(
        `Cannot get the name of the terminal of descriptor ${fd}: `,
      ),
      true,
    );
    close(fd);
    assertRefused(() => ttyname(CLOSED_FD), "EBADF", "ttyname_r");
  }),
);

Deno.test("ttyname() refuses what is no descriptor", () => {
  for (const fd of [-1, 0.5, NaN, 2 ** 31]) {
    assertThrows(() => ttyname(fd), RangeError, "'fd'");
  }
});
