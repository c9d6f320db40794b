import { assertEquals } from "@std/assert";
import { PoolPoll } from "../../ffi/_pool_poll.ts";
import {
  allocationSymbols,
  descriptorSymbols,
  memorySymbols,
} from "../../ffi/_symbols.ts";
import { POLLIN } from "../../ffi/constants.ts";
import { POLLFD } from "../../ffi/layouts.ts";
import { withoutLeaks } from "../_helpers.ts";

/** A pipe, and so many requests for its reading end. */
function newRequest(count: number) {
  const ends = new Int32Array(2);
  descriptorSymbols().pipe2(ends, 0);
  const table = new Uint8Array(count * POLLFD.size);
  const view = new DataView(table.buffer);
  for (let at = 0; at < table.length; at += POLLFD.size) {
    view.setInt32(at + POLLFD.fields.fd, ends[0]!, true);
    view.setInt16(at + POLLFD.fields.events, POLLIN, true);
  }
  return {
    table,
    makeReady: () => descriptorSymbols().write(ends[1]!, table, 1n),
    found: () =>
      Array.from(
        { length: count },
        (_, i) => view.getInt16(i * POLLFD.size + POLLFD.fields.revents, true),
      ),
    [Symbol.dispose]() {
      for (const fd of ends) descriptorSymbols().close(fd);
    },
  };
}

Deno.test(
  "PoolPoll tells what was found, of a small table and of a large one",
  withoutLeaks(async () => {
    const poll = new PoolPoll();
    for (const count of [1, 500, 3]) {
      using request = newRequest(count);
      request.makeReady();
      assertEquals(await poll.start(request.table, count), count);
      poll.takeFound(request.table);
      assertEquals(request.found(), Array(count).fill(POLLIN));
    }
    poll.close();
    poll.close();
  }),
);

Deno.test(
  "PoolPoll that is closed while a poll is under way keeps its memory until that is over",
  withoutLeaks(async () => {
    using request = newRequest(2);
    const poll = new PoolPoll();
    const call = poll.start(request.table, 2);
    poll.close();
    // What was freed last is given out first.
    const { malloc, free } = allocationSymbols();
    const { store, memcpy } = memorySymbols();
    const bytes = BigInt(request.table.length);
    const address = malloc(bytes);
    store(address, request.table, bytes);
    request.makeReady();
    await call;
    memcpy(request.table, address, bytes);
    assertEquals(request.found(), [0, 0]);
    free(address);
  }),
);
