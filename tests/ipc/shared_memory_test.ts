import { assert, assertEquals, assertThrows } from "@std/assert";
import { cString } from "../../ffi/_arguments.ts";
import { PosixError } from "../../ffi/errors.ts";
import { Barrier } from "../../ipc/barrier.ts";
import { close, open } from "../../ipc/descriptors.ts";
import { addSeals } from "../../ipc/memfd.ts";
import { O_CLOEXEC, O_CREAT, O_RDONLY, O_RDWR } from "../../ipc/mod.ts";
import { pipe, unlink } from "../../ipc/pipes.ts";
import { readAll, write } from "../../ipc/read_write.ts";
import {
  SharedMemory,
  type SharedMemoryMapOptions,
  type SharedMemoryOpenOptions,
} from "../../ipc/shared_memory.ts";
import {
  assertOpenDescriptors,
  forkWith,
  openDescriptors,
  reap,
  withDirectory,
  withoutLeaks,
} from "../_helpers.ts";
import {
  assertRefused,
  assertSameBytes,
  decode,
  dropPrivileges,
  encode,
  flagsOf,
  leaveDescriptors,
  namesIn,
  pattern,
  stat,
} from "./_helpers.ts";
import { libc } from "./_libc.ts";

const SHM = "/dev/shm";
const SIGSEGV = 11;

/** A name that nobody else has. */
const uniqueName = () => `posix-process-test-${crypto.randomUUID()}`;

const bytesOf = (memory: SharedMemory) => new Uint8Array(memory.buffer);

Deno.test(
  "SharedMemory.anonymous() gives zeros that parent and child write for each other",
  withoutLeaks(() => {
    using memory = SharedMemory.anonymous(10_000);
    const bytes = bytesOf(memory);
    assertEquals(bytes.length, 10_000);
    assertEquals(bytes.findIndex((byte) => byte !== 0), -1);
    bytes[9999] = 3;
    const status = reap(forkWith(() => {
      bytes[0] = 5;
      return bytes[9999]!;
    }));
    assertEquals([status, bytes[0]], [3 << 8, 5]);
  }),
);

Deno.test(
  "SharedMemory.anonymous() is one for grandchildren as well",
  withoutLeaks(() => {
    using memory = SharedMemory.anonymous(8);
    const words = new Int32Array(memory.buffer);
    const status = reap(forkWith(() =>
      reap(forkWith(() => {
        Atomics.add(words, 1, 42);
      }))
    ));
    assertEquals([status, words[1]], [0, 42]);
  }),
);

Deno.test(
  "SharedMemory.anonymous() takes one descriptor, close-on-exec, and gives it back",
  withoutLeaks(() => {
    const before = openDescriptors();
    const memory = SharedMemory.anonymous(1);
    assertEquals(openDescriptors().length, before.length + 1);
    assertEquals(flagsOf(memory.fd) & O_CLOEXEC, O_CLOEXEC);
    memory.close();
    assertOpenDescriptors(before);
  }),
);

Deno.test("SharedMemory refuses sizes that are none", () => {
  for (const bytes of [0, -1, 1.5, NaN, Infinity]) {
    assertThrows(() => SharedMemory.anonymous(bytes), RangeError, "'bytes'");
    assertThrows(
      () => SharedMemory.open("x", { bytes }),
      RangeError,
      "'options.bytes'",
    );
    using memory = SharedMemory.anonymous(1);
    assertThrows(() => memory.resize(bytes), RangeError, "'bytes'");
  }
  assertThrows(
    () => SharedMemory.anonymous("1" as unknown as number),
    TypeError,
    "'bytes'",
  );
});

Deno.test(
  "SharedMemory.anonymous() throws ENOMEM where there is no such address space, and leaves nothing open",
  withoutLeaks(() => {
    const error = assertThrows(
      () => SharedMemory.anonymous(2 ** 50),
      PosixError,
    );
    assert(["ENOMEM", "EFBIG"].includes(error.code), error.code);
  }),
);

Deno.test(
  "SharedMemory.anonymous() throws EMFILE where there is no descriptor left",
  withoutLeaks(() => {
    const status = reap(forkWith(() => {
      leaveDescriptors(0);
      assertRefused(() => SharedMemory.anonymous(1), "EMFILE", "memfd_create");
    }));
    assertEquals(status, 0);
  }),
);

Deno.test(
  "SharedMemory.map() shows a file, which shows what is written to memory",
  withoutLeaks(() =>
    withDirectory((directory) => {
      const path = `${directory}/file`;
      const fd = open(path, O_RDWR | O_CREAT);
      write(fd, pattern(5000));
      using memory = SharedMemory.map(path);
      assertSameBytes(bytesOf(memory), pattern(5000));
      bytesOf(memory).set(encode("here"), 4990);
      memory.sync();
      close(fd);
      const again = open(path, O_RDONLY);
      assertEquals(decode(readAll(again).subarray(4990, 4994)), "here");
      close(again);
    })
  ),
);

Deno.test(
  "SharedMemory.map() makes a file of the given size and mode, once if it is to be exclusive",
  withoutLeaks(() =>
    withDirectory((directory) => {
      const path = `${directory}/file`;
      const options = {
        create: true,
        exclusive: true,
        bytes: 6000,
        mode: 0o600,
      };
      using _ = SharedMemory.map(path, options);
      assertEquals(stat(path), { mode: 0o100600, size: 6000n });
      assertRefused(
        () => SharedMemory.map(path, options),
        "EEXIST",
        "open",
        path,
      );
      using longer = SharedMemory.map(path, { create: true, bytes: 9000 });
      assertEquals([longer.byteLength, stat(path).size], [9000, 9000n]);
      using part = SharedMemory.map(path, { bytes: 100 });
      assertEquals([part.byteLength, stat(path).size], [100, 9000n]);
    })
  ),
);

Deno.test(
  "SharedMemory.map() maps from an offset, to the end if nothing else is said",
  withoutLeaks(() =>
    withDirectory((directory) => {
      const path = `${directory}/file`;
      const page = 65_536;
      using whole = SharedMemory.map(path, { create: true, bytes: page + 500 });
      bytesOf(whole)[page + 7] = 42;
      using rest = SharedMemory.map(path, { offset: page });
      assertEquals([rest.byteLength, bytesOf(rest)[7]], [500, 42]);
      rest.resize(1000);
      assertEquals(stat(path).size, BigInt(page + 1000));
      assertRefused(
        () => SharedMemory.map(path, { offset: 1 }),
        "EINVAL",
        "mmap",
      );
      assertRefused(
        () => SharedMemory.map(path, { offset: 2 * page }),
        "EINVAL",
        "mmap",
        path,
      );
    })
  ),
);

Deno.test(
  "SharedMemory.map() maps a descriptor, which stays the caller's",
  withoutLeaks(() =>
    withDirectory((directory) => {
      const fd = open(`${directory}/file`, O_RDWR | O_CREAT);
      write(fd, "content");
      using memory = SharedMemory.map(fd);
      assert(memory.fd !== fd);
      close(fd);
      assertEquals(decode(bytesOf(memory)), "content");
      memory.resize(8);
      assertEquals(decode(bytesOf(memory)), "content\0");
    })
  ),
);

Deno.test(
  "SharedMemory.map() refuses more than the file has, unless it is to grow",
  withoutLeaks(() =>
    withDirectory((directory) => {
      const path = `${directory}/file`;
      const fd = open(path, O_RDWR | O_CREAT);
      write(fd, "12345");
      assertThrows(
        () => SharedMemory.map(path, { bytes: 6 }),
        RangeError,
        "at most 5, all that the file has: current value is 6",
      );
      assertEquals(stat(fd).size, 5n);
      using memory = SharedMemory.map(fd, { bytes: 6, grow: true });
      assertEquals([memory.byteLength, stat(fd).size], [6, 6n]);
      close(fd);
    })
  ),
);

Deno.test(
  "SharedMemory.map() keeps to itself what is private, and needs no more than to read",
  withoutLeaks(() =>
    withDirectory((directory) => {
      const path = `${directory}/file`;
      assertEquals(libc.chmod(cString(directory, "path"), 0o755), 0);
      const fd = open(path, O_RDWR | O_CREAT, 0o444);
      write(fd, "original");
      const status = reap(forkWith(() => {
        dropPrivileges();
        assertRefused(() => SharedMemory.map(path), "EACCES", "open", path);
        using memory = SharedMemory.map(path, { private: true });
        bytesOf(memory).set(encode("change"));
        assertEquals(decode(bytesOf(memory)), "changeal");
        assertThrows(() => memory.resize(100), TypeError, "private");
      }));
      assertEquals(status, 0);
      using memory = SharedMemory.map(fd);
      assertEquals(decode(bytesOf(memory)), "original");
      close(fd);
    })
  ),
);

Deno.test(
  "SharedMemory.map() refuses what is no regular file, or not there, or empty",
  withoutLeaks(() =>
    withDirectory((directory) => {
      const path = `${directory}/file`;
      assertRefused(() => SharedMemory.map(path), "ENOENT", "open", path);
      assertEquals(namesIn(directory), []);
      close(open(path, O_RDWR | O_CREAT));
      assertRefused(() => SharedMemory.map(path), "EINVAL", "mmap", path);
      assertRefused(() => SharedMemory.map("/dev/null"), "ENODEV", "mmap");
      const [reader, writer] = pipe();
      assertRefused(() => SharedMemory.map(reader), "ENODEV", "mmap");
      close(reader);
      close(writer);
      assertRefused(() => SharedMemory.map(reader), "EBADF", "fcntl");
    })
  ),
);

Deno.test("SharedMemory refuses options that contradict each other, before there is anything", () => {
  const map = (file: string | number, options: SharedMemoryMapOptions) =>
    assertThrows(() => SharedMemory.map(file, options), TypeError, "must");
  map("/tmp/x", { create: true });
  map("/tmp/x", { exclusive: true, bytes: 1 });
  map("/tmp/x", { grow: true });
  map("/tmp/x", { private: true, grow: true, bytes: 1 });
  map("/tmp/x", { private: true, create: true, bytes: 1 });
  map(0, { create: true, bytes: 1 });
  map("/tmp/x\0", {});
  map("/tmp/x", { create: 1 as unknown as boolean });
  const openNamed = (options: SharedMemoryOpenOptions) =>
    assertThrows(() => SharedMemory.open("x", options), TypeError, "must");
  openNamed({ create: true });
  openNamed({ exclusive: true });
  assertThrows(() => SharedMemory.map(-1), RangeError, "'file'");
  assertThrows(
    () => SharedMemory.map("/tmp/x", { offset: -1 }),
    RangeError,
    "'options.offset'",
  );
  assertThrows(
    () => SharedMemory.open("x", { create: true, bytes: 1, mode: 0o10000 }),
    RangeError,
    "'options.mode'",
  );
});

Deno.test(
  "SharedMemory.open() meets another process under a name",
  withoutLeaks(() => {
    const name = uniqueName();
    using mine = SharedMemory.open(name, { create: true, bytes: 100 });
    try {
      assertEquals(stat(`${SHM}/${name}`), { mode: 0o100600, size: 100n });
      const status = reap(forkWith(() => {
        mine.close();
        using theirs = SharedMemory.open(`/${name}`);
        assertEquals(theirs.byteLength, 100);
        bytesOf(theirs)[99] = 42;
        using again = SharedMemory.open(name, { create: true, bytes: 50 });
        assertEquals([again.byteLength, bytesOf(theirs)[99]], [50, 42]);
      }));
      assertEquals([status, bytesOf(mine)[99]], [0, 42]);
    } finally {
      mine.unlink();
    }
    assertRefused(
      () => SharedMemory.open(name),
      "ENOENT",
      "shm_open",
      `${SHM}/${name}`,
    );
  }),
);

Deno.test(
  "SharedMemory.open() leaves alone what exists, where it was to be new",
  withoutLeaks(() => {
    const name = uniqueName();
    using mine = SharedMemory.open(name, { create: true, bytes: 1 });
    try {
      const path = `${SHM}/${name}`;
      const options = { create: true, exclusive: true, bytes: 10 };
      assertRefused(
        () => SharedMemory.open(name, options),
        "EEXIST",
        "shm_open",
        path,
      );
      assertThrows(
        () => SharedMemory.open(name, { create: true, bytes: 10 }),
        RangeError,
        "at most 1, all that is there",
      );
      assertEquals(stat(path).size, 1n);
    } finally {
      mine.unlink();
    }
  }),
);

Deno.test(
  "SharedMemory.open() never shows memory that is half made, whoever else makes it",
  withoutLeaks(() => {
    const name = uniqueName();
    using start = new Barrier(3);
    const pids = [0, 1, 2].map(() =>
      forkWith(() => {
        start.wait();
        for (let round = 0; round < 50; round++) {
          const options = { create: true, bytes: 5000 };
          using memory = SharedMemory.open(`${name}-${round}`, options);
          assertEquals(memory.byteLength, 5000);
          Atomics.add(new Int32Array(memory.buffer, 4996), 0, 1);
        }
      })
    );
    assertEquals(pids.map(reap), [0, 0, 0]);
    for (let round = 0; round < 50; round++) {
      using memory = SharedMemory.open(`${name}-${round}`);
      memory.unlink();
      assertEquals(new Int32Array(memory.buffer, 4996)[0], 3);
    }
  }),
);

Deno.test(
  "SharedMemory.open() throws ENOSPC instead of giving memory that is not there",
  withoutLeaks(() => {
    const name = uniqueName();
    assertRefused(
      () => SharedMemory.open(name, { create: true, bytes: 2 ** 46 }),
      "ENOSPC",
      "posix_fallocate",
      `${SHM}/${name}`,
    );
    assert(!namesIn(SHM).includes(name));
    using memory = SharedMemory.open(name, { create: true, bytes: 1 });
    memory.unlink();
    assertRefused(
      () => memory.resize(2 ** 46),
      "ENOSPC",
      "posix_fallocate",
      `${SHM}/${name}`,
    );
    assertEquals(memory.byteLength, 1);
    bytesOf(memory)[0] = 1;
  }),
);

Deno.test("SharedMemory.open() refuses names that are none", () => {
  for (
    const name of ["", "/", "a/b", "//a", "..", ".", "x\0", "n".repeat(256)]
  ) {
    assertThrows(() => SharedMemory.open(name), TypeError, "'name'");
  }
  assertThrows(
    () => SharedMemory.open(1 as unknown as string),
    TypeError,
    "'name'",
  );
});

Deno.test(
  "resize() gives more and less memory, and detaches the buffer before",
  withoutLeaks(() => {
    using memory = SharedMemory.anonymous(10);
    const before = bytesOf(memory);
    before[9] = 7;
    memory.resize(1_000_000);
    assertEquals([before.length, memory.byteLength], [0, 1_000_000]);
    assertEquals([bytesOf(memory)[9], bytesOf(memory)[999_999]], [7, 0]);
    memory.resize(1_000_000);
    memory.resize(5);
    assertEquals([memory.byteLength, stat(memory.fd).size], [5, 5n]);
    memory.resize(10);
    assertEquals(bytesOf(memory)[9], 0);
  }),
);

Deno.test(
  "resize() of one process is followed by that of another",
  withoutLeaks(() => {
    using memory = SharedMemory.anonymous(10);
    const status = reap(forkWith(() => {
      memory.resize(20_000);
      bytesOf(memory)[19_999] = 9;
    }));
    assertEquals([status, memory.byteLength], [0, 10]);
    memory.resize(20_000);
    assertEquals(bytesOf(memory)[19_999], 9);
  }),
);

Deno.test(
  "resize() throws EPERM for sealed memory, which stays as it was",
  withoutLeaks(() => {
    using memory = SharedMemory.anonymous(5000);
    const bytes = bytesOf(memory);
    addSeals(memory.fd, ["shrink", "grow"]);
    assertRefused(() => memory.resize(5001), "EPERM", "ftruncate");
    assertRefused(() => memory.resize(100), "EPERM", "ftruncate");
    bytes[4999] = 1;
    assertEquals(memory.byteLength, 5000);
  }),
);

Deno.test(
  "protect() has forbidden use end the process that makes it",
  withoutLeaks(() => {
    using memory = SharedMemory.anonymous(8);
    const bytes = bytesOf(memory);
    bytes[0] = 42;
    memory.protect("read");
    assertEquals(bytes[0], 42);
    const status = reap(forkWith(() => {
      bytes[0] = 1;
    }));
    assertEquals(status & 0x7f, SIGSEGV);
    const touched = reap(forkWith(() => {
      memory.protect("none");
      memory.resize(100);
      return bytesOf(memory)[0]!;
    }));
    assertEquals(touched & 0x7f, SIGSEGV);
    memory.protect("read-write");
    bytes[0] = 43;
    assertThrows(
      () => memory.protect("reed" as "read"),
      TypeError,
      'did you mean "read"',
    );
  }),
);

Deno.test(
  "close() makes every use an exception, and does no more the second time",
  withoutLeaks(() => {
    const memory = SharedMemory.anonymous(100);
    const bytes = bytesOf(memory);
    const words = new Int32Array(memory.buffer);
    memory.close();
    memory.close();
    memory[Symbol.dispose]();
    assertEquals([memory.closed, memory.byteLength, bytes.length], [
      true,
      0,
      0,
    ]);
    assertEquals(bytes[0], undefined);
    assertThrows(() => Atomics.store(words, 0, 1), TypeError);
    for (
      const use of [
        () => memory.buffer,
        () => memory.fd,
        () => memory.resize(1),
        () => memory.sync(),
        () => memory.protect("read"),
        () => memory.unlink(),
      ]
    ) assertThrows(use, TypeError, "it is closed");
  }),
);

Deno.test(
  "close() in a child leaves the parent's memory alone",
  withoutLeaks(() => {
    using memory = SharedMemory.anonymous(100);
    assertEquals(reap(forkWith(() => memory.close())), 0);
    bytesOf(memory)[50] = 1;
    assertEquals(memory.byteLength, 100);
  }),
);

Deno.test(
  "unlink() removes the own name once, and never another's",
  withoutLeaks(() =>
    withDirectory((directory) => {
      const path = `${directory}/file`;
      using memory = SharedMemory.map(path, { create: true, bytes: 1 });
      unlink(path);
      close(open(path, O_RDWR | O_CREAT));
      assertRefused(() => memory.unlink(), "ENOENT", "unlink", path);
      assertEquals(namesIn(directory), ["file"]);
      unlink(path);
      assertRefused(() => memory.unlink(), "ENOENT", "statx", path);
      using nameless = SharedMemory.anonymous(1);
      assertThrows(() => nameless.unlink(), TypeError, "no name");
    })
  ),
);
