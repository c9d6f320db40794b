import { assert, assertEquals } from "@std/assert";
import {
  F_SETPIPE_SZ,
  O_CLOEXEC,
  O_NONBLOCK,
  O_RDONLY,
  POLLIN,
  POLLOUT,
} from "../../ffi/constants.ts";
import { cString } from "../../ffi/_arguments.ts";
import { descriptorSymbols, forkSymbols } from "../../ffi/_symbols.ts";
import { bells } from "../../wait/_kernel_bell.ts";
import type { Verdict, Watched } from "../../wait/_watched.ts";
import { lookSoon, watch } from "../../wait/_watcher.ts";
import { waitAsync } from "../../wait/mod.ts";
import {
  forkWithAsync,
  openDescriptors,
  reap,
  until,
  withoutLeaks,
} from "../_helpers.ts";
import { Gate, threads } from "./_children.ts";
import { testEachWay, useBell } from "./_ways.ts";

const { pipe2, close, write, read, fcntl, open } = descriptorSymbols();

/** A pipe; both ends never block. */
function newPipe(): [reader: number, writer: number] {
  const fds = new Int32Array(2);
  assertEquals(pipe2(fds, O_CLOEXEC | O_NONBLOCK), 0);
  return [fds[0]!, fds[1]!];
}

function writeTo(fd: number): void {
  assertEquals(write(fd, new Uint8Array(1), 1n), 1);
}

/** One that notes what becomes of it, and lets go as soon as it is ready. */
class Owner implements Watched {
  readonly fd: number;
  readonly events: number;
  readonly released: Promise<void>;
  referenced = true;
  letGo = false;
  log: string[] = [];
  #release!: () => void;

  constructor(fd: number, events = POLLIN) {
    this.fd = fd;
    this.events = events;
    this.released = new Promise((resolve) => this.#release = resolve);
    watch(this);
  }

  look(ready: boolean): Verdict {
    if (ready) this.log.push("ready");
    return ready || this.letGo ? "done" : "watch";
  }

  fail(error: unknown): void {
    this.log.push(String(error));
  }

  release(): void {
    this.log.push("released");
  }

  settle(): void {
    if (!this.log.includes("released")) return;
    this.log.push("settled");
    this.#release();
  }
}

const WHOLE = ["ready", "released", "settled"];

testEachWay(
  "watch() tells of each descriptor as it becomes ready",
  async () => {
    const pipes = Array.from({ length: 5 }, newPipe);
    const owners = pipes.map(([reader]) => new Owner(reader));
    for (const index of [3, 0, 4, 1, 2]) {
      assertEquals(owners[index]!.log, []);
      writeTo(pipes[index]![1]);
      await owners[index]!.released;
      assertEquals(owners[index]!.log, WHOLE);
    }
    for (const fd of pipes.flat()) close(fd);
  },
);

testEachWay(
  "watch() tells of 300 descriptors that are ready at once",
  async () => {
    const pipes = Array.from({ length: 300 }, newPipe);
    const owners = pipes.map(([reader]) => new Owner(reader));
    for (const [, writer] of pipes) writeTo(writer);
    await Promise.all(owners.map(({ released }) => released));
    for (const { log } of owners) assertEquals(log, WHOLE);
    for (const fd of pipes.flat()) close(fd);
  },
);

testEachWay(
  "watch() tells two owners of one descriptor what each waits for",
  async () => {
    const fds = new Int32Array(2);
    assertEquals(
      forkSymbols().socketpair(1, 1 | O_CLOEXEC | O_NONBLOCK, 0, fds),
      0,
    );
    const [mine, other] = fds as unknown as [number, number];
    const reader = new Owner(mine, POLLIN);
    const writer = new Owner(mine, POLLOUT);
    await writer.released;
    assertEquals([writer.log, reader.log], [WHOLE, []]);
    writeTo(other);
    await reader.released;
    assertEquals(reader.log, WHOLE);
    for (const fd of fds) close(fd);
  },
);

testEachWay(
  "watch() tells of an error or the end, whatever is waited for",
  async () => {
    const [reader, writer] = newPipe();
    fcntl(writer, F_SETPIPE_SZ, 4096);
    assertEquals(write(writer, new Uint8Array(4096), 4096n), 4096);
    const full = new Owner(writer, POLLOUT);
    const [empty, last] = newPipe();
    const ended = new Owner(empty, POLLIN);
    close(reader);
    close(last);
    await Promise.all([full.released, ended.released]);
    assertEquals([full.log, ended.log], [WHOLE, WHOLE]);
    close(writer);
    close(empty);
  },
);

testEachWay(
  "watch() finds what cannot be waited for ready, and leaves the event loop its turns",
  async () => {
    const fd = open(cString("/proc/self/exe", "path"), O_RDONLY | O_CLOEXEC, 0);
    const [pipe, writer] = newPipe();
    const waiting = new Owner(pipe);
    let turns = 0;
    for (; turns < 20; turns++) {
      const file = new Owner(fd);
      await file.released;
      assertEquals(file.log, WHOLE);
    }
    assertEquals(waiting.log, []);
    writeTo(writer);
    await waiting.released;
    for (const open of [fd, pipe, writer]) close(open);
  },
);

testEachWay(
  "lookSoon() has everyone looked at, and who lets go is released before the world is told",
  async () => {
    const pipes = [newPipe(), newPipe()] as const;
    const [leaving, staying] = [
      new Owner(pipes[0][0]),
      new Owner(pipes[1][0]),
    ];
    leaving.letGo = true;
    lookSoon();
    lookSoon();
    await leaving.released;
    assertEquals(leaving.log, ["released", "settled"]);
    // Nobody holds what it has let go: the writer is told at once.
    close(pipes[0][0]);
    assertEquals(write(pipes[0][1], new Uint8Array(1), 1n), -1);
    assertEquals(staying.log, []);
    writeTo(pipes[1][1]);
    await staying.released;
    assertEquals(staying.log, WHOLE);
    close(pipes[0][1]);
    for (const fd of pipes[1]) close(fd);
  },
);

testEachWay(
  "watch() begins anew for a number that is another file's by now",
  async () => {
    const [reader, writer] = newPipe();
    const first = new Owner(reader);
    writeTo(writer);
    await first.released;
    close(reader);
    close(writer);
    const pipes = [newPipe(), newPipe()];
    assert(pipes.flat().includes(reader), "the numbers are given out again");
    const owners = pipes.map(([reader]) => new Owner(reader));
    for (const [, writer] of pipes) writeTo(writer);
    await Promise.all(owners.map(({ released }) => released));
    for (const fd of pipes.flat()) close(fd);
  },
);

Deno.test(
  "the kernel's bell takes no thread, and one descriptor beside the child's",
  withoutLeaks(async () => {
    await useBell();
    const gate = new Gate();
    const pids = Array.from({ length: 6 }, (_, index) => gate.fork(index));
    let ticks = 0;
    await until(() => ++ticks > 5);
    const before = { fds: openDescriptors().length, threads: threads() };
    const waits = pids.map((pid) => waitAsync(pid));
    await until(() => ++ticks > 10);
    assertEquals(openDescriptors().length, before.fds + pids.length + 1);
    assertEquals(threads(), before.threads);
    gate.open();
    const codes = (await Promise.all(waits)).map(({ raw }) => raw >> 8);
    assertEquals(codes, [0, 1, 2, 3, 4, 5]);
  }),
);

Deno.test(
  "a wait that began with a thread goes on with the bell once one was heard",
  withoutLeaks(async () => {
    Object.assign(bells, { heard: false, trials: 0 });
    const [reader, writer] = newPipe();
    const [other, otherWriter] = newPipe();
    const long = new Owner(reader);
    const short = new Owner(other);
    await useBell();
    writeTo(otherWriter);
    await short.released;
    let ticks = 0;
    await until(() => ++ticks > 5);
    assertEquals(long.log, []);
    writeTo(writer);
    await long.released;
    assertEquals(long.log, WHOLE);
    for (const fd of [reader, writer, other, otherWriter]) close(fd);
  }),
);

Deno.test(
  "a bell is tried after some waits, and heard",
  withoutLeaks(async () => {
    Object.assign(bells, { heard: false, trials: 5 });
    const [reader, writer] = newPipe();
    for (let waits = 0; !bells.heard; waits++) {
      assert(waits < 100, "no bell was heard after 100 waits");
      const owner = new Owner(reader);
      writeTo(writer);
      await owner.released;
      assertEquals(read(reader, new Uint8Array(1), 1n), 1);
    }
    close(reader);
    close(writer);
  }),
);

testEachWay(
  "watch() works in a forked child, which has none of the parent's waits",
  async () => {
    const [reader, writer] = newPipe();
    const parents = new Owner(reader);
    let ticks = 0;
    await until(() => ++ticks > 5);
    const child = await forkWithAsync(async () => {
      assertEquals(parents.log, ["released"]);
      const [mine, own] = newPipe();
      const owner = new Owner(mine);
      writeTo(own);
      await owner.released;
      assertEquals(owner.log, WHOLE);
      const gate = new Gate();
      const wait = waitAsync(gate.fork(7));
      gate.open();
      assertEquals((await wait).raw, 0x0700);
    });
    assertEquals(parents.log, []);
    const status = await waitAsync(child);
    assertEquals(status.raw, 0);
    assertEquals(parents.log, []);
    writeTo(writer);
    await parents.released;
    assertEquals(parents.log, WHOLE);
    close(reader);
    close(writer);
  },
);

testEachWay(
  "watch() goes on in the parent though a forked child keeps what was watched",
  async () => {
    const [reader, writer] = newPipe();
    const gate = new Gate();
    const owner = new Owner(reader);
    const child = await forkWithAsync(() => gate.pass());
    writeTo(writer);
    await owner.released;
    // The file is still open in the child, and still ready.
    close(reader);
    const [next, nextWriter] = newPipe();
    const other = new Owner(next);
    let ticks = 0;
    await until(() => ++ticks > 20);
    assertEquals(other.log, []);
    writeTo(nextWriter);
    await other.released;
    gate.open();
    assertEquals(reap(child), 0);
    for (const fd of [writer, next, nextWriter]) close(fd);
  },
);
