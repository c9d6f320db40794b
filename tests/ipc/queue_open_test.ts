import { assert, assertEquals, assertThrows } from "@std/assert";
import { mapMemory, unmapMemory } from "../../ffi/_memory.ts";
import { MAP_SHARED, PROT_READ, PROT_WRITE } from "../../ffi/constants.ts";
import { PosixError } from "../../ffi/errors.ts";
import { setSignal } from "../../process/set_signal.ts";
import { close, dup, open } from "../../ipc/descriptors.ts";
import { O_CREAT, O_RDONLY, O_RDWR } from "../../ipc/mod.ts";
import { memfdCreate } from "../../ipc/memfd.ts";
import { pipe, unlink } from "../../ipc/pipes.ts";
import { Queue } from "../../ipc/queue.ts";
import { getpid } from "../../process/ids.ts";
import { setrlimit } from "../../process/limits.ts";
import { forkWith, reap, withoutLeaks } from "../_helpers.ts";
import {
  assertRefused,
  CLOSED_FD,
  flagsOf,
  leaveDescriptors,
  stat,
} from "./_helpers.ts";
import { libc } from "./_libc.ts";

const NAME = `queue-test-${getpid()}`;
const PATH = `/dev/shm/${NAME}`;

Deno.test(
  "Queue.open() makes a queue and opens it, in this process and in others",
  withoutLeaks(() => {
    using here = Queue.open<string>(NAME, { create: true, maxsize: 3 });
    try {
      assertEquals(stat(PATH).mode & 0o777, 0o600);
      using there = Queue.open<string>(`/${NAME}`, {
        create: true,
        maxsize: 9,
      });
      assertEquals(there.maxsize, 3);
      const child = forkWith(() => {
        using again = Queue.open<string>(NAME);
        again.put(`${again.get()} and back`);
      });
      there.put("there");
      assertEquals(reap(child), 0);
      assertEquals(here.get(), "there and back");
    } finally {
      Queue.unlink(NAME);
    }
    assertRefused(() => Queue.open(NAME), "ENOENT", "shm_open", PATH);
    assertRefused(() => Queue.unlink(NAME), "ENOENT", "shm_unlink", PATH);
    here.put("still there");
    assertEquals(here.get(), "still there");
  }),
);

Deno.test(
  "Queue.open() keeps what is in a queue that nobody has open",
  withoutLeaks(() => {
    {
      using queue = Queue.open<string>(NAME, { create: true });
      queue.put("kept");
    }
    using queue = Queue.open<string>(NAME);
    Queue.unlink(NAME);
    assertEquals(queue.get(), "kept");
  }),
);

Deno.test(
  "Queue.open() with exclusive fails with EEXIST, and leaves the other queue alone",
  withoutLeaks(() => {
    using queue = Queue.open<string>(NAME, { create: true, exclusive: true });
    try {
      queue.put("mine");
      assertRefused(
        () => Queue.open(NAME, { create: true, exclusive: true }),
        "EEXIST",
        "shm_open",
        PATH,
      );
      using again = Queue.open<string>(NAME, { create: true });
      assertEquals(again.get(), "mine");
    } finally {
      Queue.unlink(NAME);
    }
  }),
);

Deno.test(
  "Queue.open() makes one queue where several processes make it at once",
  withoutLeaks(() => {
    for (let round = 0; round < 5; round++) {
      const children = [1, 2, 3].map((i) =>
        forkWith(() => {
          using queue = Queue.open<number>(NAME, { create: true });
          queue.put(i);
        })
      );
      for (const child of children) assertEquals(reap(child), 0);
      using queue = Queue.open<number>(NAME);
      Queue.unlink(NAME);
      assertEquals(queue.getMany(9).toSorted(), [1, 2, 3]);
    }
  }),
);

Deno.test(
  "Queue.open() refuses a file that is no queue",
  withoutLeaks(() => {
    for (const bytes of [0n, 100n, 8192n, 2_000_000n]) {
      const fd = open(PATH, O_RDWR | O_CREAT, 0o600);
      assertEquals(libc.ftruncate(fd, bytes), 0);
      close(fd);
      const error = assertThrows(
        () => Queue.open(NAME, { create: true }),
        PosixError,
        "it is none",
      );
      assertEquals(error.code, "EINVAL");
      unlink(PATH);
    }
  }),
);

Deno.test(
  "Queue.open() and unlink() check their arguments",
  withoutLeaks(() => {
    for (const name of ["", "/", "a/b", ".", "..", "a\0b", "x".repeat(300)]) {
      assertThrows(() => Queue.open(name, { create: true }), TypeError);
      assertThrows(() => Queue.unlink(name), TypeError);
    }
    assertThrows(() => Queue.open(NAME, { exclusive: true }), TypeError);
    const wrong = [{ mode: 0o10000 }, { maxsize: -1 }, { bytes: 3 }];
    for (const options of wrong) {
      assertThrows(
        () => Queue.open(NAME, { create: true, ...options }),
        RangeError,
      );
    }
    assertRefused(() => Queue.open(NAME), "ENOENT", "shm_open", PATH);
  }),
);

Deno.test(
  "Queue.from() makes a handle of a descriptor, and owns it",
  withoutLeaks(() => {
    using queue = new Queue<string>(4);
    {
      using same = Queue.from<string>(dup(queue.fd));
      assertEquals(same.maxsize, 4);
      same.put("through");
    }
    assertEquals(queue.get(), "through");
    assert((flagsOf(queue.fd) & 0o2000000) !== 0);
  }),
);

Deno.test(
  "Queue.from() leaves open what is no queue",
  withoutLeaks(() => {
    const [reader, writer] = pipe();
    const fds = [reader, open("/dev/null", O_RDONLY), memfdCreate("x")];
    for (const fd of fds) {
      assertThrows(() => Queue.from(fd), PosixError, "it is none");
      close(fd);
    }
    close(writer);
    assertRefused(() => Queue.from(CLOSED_FD), "EBADF", "statx");
    assertThrows(() => Queue.from(-1), RangeError);
  }),
);

Deno.test(
  "Queue.from() refuses a queue of another version, or one that is cut short",
  withoutLeaks(() => {
    using queue = new Queue<string>();
    // A nameless queue cannot be cut short, which would be fatal to who has it mapped.
    assertEquals(libc.ftruncate(queue.fd, 4096n), -1);
    const map = (fd: number) =>
      mapMemory(fd, 4096, PROT_READ | PROT_WRITE, MAP_SHARED);
    const header = map(queue.fd);
    const fd = memfdCreate("copy");
    assertEquals(libc.ftruncate(fd, 4096n), 0);
    const copy = map(fd);
    new Uint8Array(copy).set(new Uint8Array(header));
    assertThrows(() => Queue.from(fd), PosixError, "it is none");
    assertEquals(libc.ftruncate(fd, 2_000_000n), 0);
    new Int32Array(copy)[1] = 2;
    assertThrows(() => Queue.from(fd), PosixError, "it is none");
    new Int32Array(copy)[1] = 1;
    Queue.from(dup(fd)).release();
    unmapMemory(header);
    unmapMemory(copy);
    close(fd);
  }),
);

Deno.test(
  "Queue that there is no memory or no descriptor for is an error, and leaves nothing",
  withoutLeaks(() => {
    const status = reap(forkWith(() => {
      setSignal("SIGXFSZ", "ignore");
      setrlimit("RLIMIT_FSIZE", { soft: 100_000, hard: 100_000 });
      assertRefused(() => new Queue(), "EFBIG", "posix_fallocate");
      assertRefused(
        () => Queue.open(NAME, { create: true }),
        "EFBIG",
        "posix_fallocate",
      );
      using small = new Queue<Uint8Array>(0, { bytes: 4096 });
      small.put(new Uint8Array(100));
      assertRefused(() => small.put(new Uint8Array(1e6)), "EFBIG", "pwrite");
      small.putMany([new Uint8Array(1)]);
      assertEquals(small.getMany(5).map((item) => item.length), [100, 1]);
      leaveDescriptors(0);
      assertRefused(() => new Queue(), "EMFILE", "memfd_create");
    }));
    assertEquals(status, 0);
    assertRefused(() => Queue.open(NAME), "ENOENT", "shm_open", PATH);
  }),
);
