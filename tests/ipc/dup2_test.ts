import { assertEquals } from "@std/assert";
import { close, dup2, open } from "../../ipc/descriptors.ts";
import { O_CLOEXEC, O_RDONLY } from "../../ipc/mod.ts";
import { pipe } from "../../ipc/pipes.ts";
import { read, readAll, write } from "../../ipc/read_write.ts";
import { forkWith, openDescriptors, reap, withoutLeaks } from "../_helpers.ts";
import {
  assertRefused,
  CLOSED_FD,
  decode,
  flagsOf,
  LARGEST_FD,
  leaveDescriptors,
} from "./_helpers.ts";

Deno.test(
  "dup2() puts the open file under the new number, in place of what was there",
  withoutLeaks(() => {
    const [reader, writer] = pipe();
    const [otherReader, otherWriter] = pipe();
    assertEquals(dup2(writer, otherWriter), otherWriter);
    assertEquals(read(otherReader, 1).length, 0);
    close(writer);
    write(otherWriter, "redirected");
    close(otherWriter);
    assertEquals(decode(readAll(reader)), "redirected");
    close(reader);
    close(otherReader);
  }),
);

Deno.test(
  "dup2() gives a descriptor that is not close-on-exec",
  withoutLeaks(() => {
    const [reader, writer] = pipe();
    const target = open("/dev/null", O_RDONLY);
    dup2(reader, target);
    assertEquals(flagsOf(target) & O_CLOEXEC, 0);
    assertEquals(flagsOf(reader) & O_CLOEXEC, O_CLOEXEC);
    for (const fd of [reader, writer, target]) close(fd);
  }),
);

Deno.test(
  "dup2() of a descriptor to itself changes nothing",
  withoutLeaks(() => {
    const [reader, writer] = pipe();
    assertEquals(dup2(reader, reader), reader);
    assertEquals(flagsOf(reader) & O_CLOEXEC, O_CLOEXEC);
    close(reader);
    close(writer);
    assertRefused(() => dup2(CLOSED_FD, CLOSED_FD), "EBADF", "dup2");
  }),
);

Deno.test(
  "dup2() wires the standard output of a child",
  withoutLeaks(() => {
    const [reader, writer] = pipe();
    const pid = forkWith(() => {
      dup2(writer, 1);
      write(1, "standard output");
    });
    close(writer);
    assertEquals(decode(readAll(reader)), "standard output");
    assertEquals(reap(pid), 0);
    close(reader);
  }),
);

Deno.test(
  "dup2() fails with EBADF for what is not open or beyond the limit, and closes nothing",
  withoutLeaks(() => {
    const [reader, writer] = pipe();
    const before = openDescriptors();
    const error = assertRefused(
      () => dup2(CLOSED_FD, writer),
      "EBADF",
      "dup2",
    );
    assertEquals(
      error.message,
      `Cannot duplicate descriptor ${CLOSED_FD} as ${writer}: dup2 failed with EBADF (Bad file descriptor)`,
    );
    assertRefused(() => dup2(reader, LARGEST_FD), "EBADF", "dup2");
    assertEquals(openDescriptors(), before);
    const status = reap(forkWith(() => {
      leaveDescriptors(1);
      assertRefused(() => dup2(reader, 1000), "EBADF", "dup2");
    }));
    assertEquals(status, 0);
    close(reader);
    close(writer);
  }),
);
