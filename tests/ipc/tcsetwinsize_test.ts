import { assert, assertEquals, assertThrows } from "@std/assert";
import { close } from "../../ipc/descriptors.ts";
import { openpty, tcgetwinsize, tcsetwinsize } from "../../ipc/terminals.ts";
import { pipe } from "../../ipc/pipes.ts";
import { withoutLeaks } from "../_helpers.ts";
import { assertRefused, CLOSED_FD } from "./_helpers.ts";

Deno.test(
  "tcsetwinsize() sets the size for both ends, whichever is told",
  withoutLeaks(() => {
    const { controller, terminal } = openpty();
    tcsetwinsize(controller, { columns: 100, rows: 50 });
    assertEquals(tcgetwinsize(terminal), {
      columns: 100,
      rows: 50,
      xpixel: 0,
      ypixel: 0,
    });
    const size = { columns: 1, rows: 65_535, xpixel: 7, ypixel: 9 };
    tcsetwinsize(terminal, size);
    assertEquals(tcgetwinsize(controller), size);
    close(terminal);
    close(controller);
  }),
);

Deno.test(
  "tcsetwinsize() and tcgetwinsize() fail for what is no terminal, not open, or hung up",
  withoutLeaks(() => {
    const [reader, writer] = pipe();
    const { controller, terminal } = openpty();
    close(controller);
    for (
      const [fd, code] of [
        [reader, "ENOTTY"],
        [CLOSED_FD, "EBADF"],
        [terminal, "EIO"],
      ] as const
    ) {
      assertRefused(() => tcgetwinsize(fd), code, "tcgetwinsize");
      const size = { columns: 80, rows: 24 };
      const error = assertRefused(
        () => tcsetwinsize(fd, size),
        code,
        "tcsetwinsize",
      );
      assert(
        error.message.startsWith(
          `Cannot set the window size of terminal ${fd}:`,
        ),
      );
    }
    for (const fd of [reader, writer, terminal]) close(fd);
  }),
);

Deno.test(
  "tcsetwinsize() refuses wrong sizes before it sets anything",
  withoutLeaks(() => {
    const { controller, terminal } = openpty({ columns: 80, rows: 24 });
    for (
      const [size, errorClass] of [
        [undefined, TypeError],
        [{ columns: 80 }, TypeError],
        [{ columns: 80, rows: 65_536 }, RangeError],
      ] as const
    ) {
      assertThrows(
        // @ts-expect-error -- the point is to pass what the types forbid
        () => tcsetwinsize(controller, size),
        errorClass,
      );
    }
    assertEquals(tcgetwinsize(terminal).rows, 24);
    close(terminal);
    close(controller);
  }),
);
