import { assertEquals, assertThrows } from "@std/assert";
import { close } from "../../ipc/descriptors.ts";
import { addSeals, getSeals, memfdCreate, type Seal } from "../../ipc/memfd.ts";
import { O_CLOEXEC } from "../../ipc/mod.ts";
import { pipe } from "../../ipc/pipes.ts";
import { SharedMemory } from "../../ipc/shared_memory.ts";
import { write } from "../../ipc/read_write.ts";
import { forkWith, reap, withoutLeaks } from "../_helpers.ts";
import {
  assertRefused,
  CLOSED_FD,
  flagsOf,
  leaveDescriptors,
  stat,
} from "./_helpers.ts";

Deno.test(
  "memfdCreate() makes an empty file, close-on-exec and open for seals",
  withoutLeaks(() => {
    const fd = memfdCreate("你好");
    assertEquals(stat(fd).size, 0n);
    assertEquals(flagsOf(fd) & O_CLOEXEC, O_CLOEXEC);
    assertEquals(getSeals(fd), []);
    close(fd);
  }),
);

Deno.test(
  "memfdCreate() refuses a name that is too long, or none",
  withoutLeaks(() => {
    assertRefused(() => memfdCreate("n".repeat(250)), "EINVAL", "memfd_create");
    close(memfdCreate("n".repeat(249)));
    assertThrows(() => memfdCreate("a\0b"), TypeError, "NUL");
    const status = reap(forkWith(() => {
      leaveDescriptors(0);
      assertRefused(() => memfdCreate("x"), "EMFILE", "memfd_create");
    }));
    assertEquals(status, 0);
  }),
);

Deno.test(
  "addSeals() forbids what it says, for good",
  withoutLeaks(() => {
    const fd = memfdCreate("sealed");
    write(fd, "content");
    addSeals(fd, ["grow"]);
    assertRefused(() => write(fd, "more"), "EPERM", "write");
    addSeals(fd, []);
    addSeals(fd, ["write", "shrink"]);
    assertRefused(() => SharedMemory.map(fd), "EPERM", "mmap");
    using memory = SharedMemory.map(fd, { private: true });
    assertEquals(new TextDecoder().decode(memory.buffer), "content");
    addSeals(fd, ["seal"]);
    assertEquals(getSeals(fd), ["shrink", "grow", "write", "seal"]);
    assertRefused(() => addSeals(fd, ["future-write"]), "EPERM", "fcntl");
    close(fd);
  }),
);

Deno.test(
  "addSeals() throws EBUSY for writing while somebody has it mapped, but not for those to come",
  withoutLeaks(() => {
    using memory = SharedMemory.anonymous(100);
    assertRefused(() => addSeals(memory.fd, ["write"]), "EBUSY", "fcntl");
    addSeals(memory.fd, ["future-write"]);
    new Uint8Array(memory.buffer)[0] = 1;
    assertRefused(() => SharedMemory.map(memory.fd), "EPERM", "mmap");
    assertEquals(getSeals(memory.fd), ["future-write"]);
  }),
);

Deno.test(
  "addSeals() and getSeals() refuse what cannot be sealed, and seals that are unknown",
  withoutLeaks(() => {
    const [reader, writer] = pipe();
    assertRefused(() => getSeals(reader), "EINVAL", "fcntl");
    assertRefused(() => addSeals(writer, ["grow"]), "EINVAL", "fcntl");
    close(reader);
    close(writer);
    assertRefused(() => getSeals(CLOSED_FD), "EBADF", "fcntl");
    assertRefused(() => addSeals(CLOSED_FD, ["grow"]), "EBADF", "fcntl");
    assertThrows(() => getSeals(-1), RangeError, "'fd'");
    assertThrows(
      () => addSeals(0, ["grown" as Seal]),
      TypeError,
      'did you mean "grow"',
    );
  }),
);
