import { assert, assertEquals, assertThrows } from "@std/assert";
import { O_NONBLOCK } from "../../ipc/mod.ts";
import { close } from "../../ipc/descriptors.ts";
import { pipe2 } from "../../ipc/pipes.ts";
import { readInto, write } from "../../ipc/read_write.ts";
import { withoutLeaks } from "../_helpers.ts";
import { assertRefused, CLOSED_FD, decode } from "./_helpers.ts";

Deno.test(
  "readInto() fills what there is room for, leaves the rest as it is, and gives the number",
  withoutLeaks(() => {
    const [reader, writer] = pipe2(O_NONBLOCK);
    write(writer, "hello, pipe");
    const buffer = new Uint8Array(10).fill(0x2e);
    assertEquals(readInto(reader, buffer.subarray(2, 7)), 5);
    assertEquals(decode(buffer), "..hello...");
    assertEquals(readInto(reader, buffer), 6);
    assertEquals(decode(buffer), ", pipeo...");
    assertRefused(() => readInto(reader, buffer), "EAGAIN", "read");
    assertEquals(readInto(reader, new Uint8Array(0)), 0);
    close(writer);
    assertEquals(readInto(reader, buffer), 0);
    close(reader);
  }),
);

Deno.test(
  "readInto() refuses what is no descriptor, or no array of bytes",
  () => {
    assertRefused(
      () => readInto(CLOSED_FD, new Uint8Array(1)),
      "EBADF",
      "read",
    );
    const error = assertThrows(
      () => readInto(-1, new Uint8Array(1)),
      RangeError,
    );
    assert(error.message.includes("'fd'"));
    for (const into of [undefined, 5, [1], new Uint16Array(2)]) {
      assertThrows(
        () => readInto(0, into as unknown as Uint8Array<ArrayBuffer>),
        TypeError,
        "'into' must be a Uint8Array",
      );
    }
  },
);
