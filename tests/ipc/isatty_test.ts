import { assertEquals } from "@std/assert";
import { close, open } from "../../ipc/descriptors.ts";
import { isatty, openpty } from "../../ipc/terminals.ts";
import { O_RDONLY } from "../../ipc/mod.ts";
import { pipe } from "../../ipc/pipes.ts";
import { withoutLeaks } from "../_helpers.ts";
import { assertRefused, CLOSED_FD, LARGEST_FD, sockets } from "./_helpers.ts";

Deno.test(
  "isatty() is true for both ends of a terminal, until it is hung up",
  withoutLeaks(() => {
    const { controller, terminal } = openpty();
    assertEquals([isatty(controller), isatty(terminal)], [true, true]);
    close(controller);
    assertEquals(isatty(terminal), false);
    close(terminal);
  }),
);

Deno.test(
  "isatty() is false for what is no terminal",
  withoutLeaks(() => {
    const fds = [
      ...pipe(),
      ...sockets(1),
      open("/dev/null", O_RDONLY),
      open("/", O_RDONLY),
    ];
    for (const fd of fds) {
      assertEquals(isatty(fd), false);
      close(fd);
    }
  }),
);

Deno.test(
  "isatty() fails with EBADF for what is not open",
  withoutLeaks(() => {
    for (const fd of [CLOSED_FD, LARGEST_FD]) {
      const error = assertRefused(() => isatty(fd), "EBADF", "isatty");
      assertEquals(
        error.message,
        `Cannot tell whether descriptor ${fd} is a terminal: isatty failed with EBADF (Bad file descriptor)`,
      );
    }
  }),
);
