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
function newRequests(count: number) {
  const ends = new Int32Array(2);
  descriptorSymbols().pipe2(ends, 0);
  return {
    requests: Array(count).fill({ fd: ends[0]!, events: POLLIN }),
    makeReady: () => descriptorSymbols().write(ends[1]!, new Uint8Array(1), 1n),
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
      using pipe = newRequests(count);
      pipe.makeReady();
      const result = await poll.start(pipe.requests);
      assertEquals(result, count);
      assertEquals(poll.found(result), Array(count).fill(POLLIN));
    }
    poll.close();
    poll.close();
  }),
);

Deno.test(
  "PoolPoll that is closed while a poll is under way keeps its memory until that is over",
  withoutLeaks(async () => {
    using pipe = newRequests(1);
    const poll = new PoolPoll();
    const call = poll.start(pipe.requests);
    poll.close();
    // What was freed last is given out first.
    const { malloc, free } = allocationSymbols();
    const { store, memcpy } = memorySymbols();
    const table = new DataView(new ArrayBuffer(2 * POLLFD.size));
    table.setInt32(POLLFD.fields.fd, pipe.requests[0].fd, true);
    table.setInt16(POLLFD.fields.events, POLLIN, true);
    const bytes = BigInt(table.byteLength);
    const address = malloc(bytes);
    store(address, table, bytes);
    pipe.makeReady();
    await call;
    memcpy(table, address, bytes);
    assertEquals(table.getInt16(POLLFD.fields.revents, true), 0);
    free(address);
  }),
);
