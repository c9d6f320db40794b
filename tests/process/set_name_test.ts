import { assertEquals, assertThrows } from "@std/assert";
import { execl } from "../../exec/exec.ts";
import { close, dup2, pipe, readAll } from "../../ipc/mod.ts";
import { getpid } from "../../process/ids.ts";
import { getName, setName } from "../../process/attributes.ts";
import { forkWith, readText, reap, withoutLeaks } from "../_helpers.ts";

function withFormerName(body: () => void): () => Promise<void> {
  return withoutLeaks(() => {
    const before = getName();
    try {
      body();
    } finally {
      setName(before);
    }
    assertEquals(getName(), before);
  });
}

Deno.test(
  "setName() names the process, whichever thread JavaScript runs on",
  withFormerName(() => {
    for (
      const name of [
        "worker 1",
        "",
        "五个汉字五",
        "a) (b",
        "two\nlines",
        "\\n",
        " ",
      ]
    ) {
      setName(name);
      assertEquals(getName(), name);
      assertEquals(readText(`/proc/${getpid()}/comm`), `${name}\n`);
    }
  }),
);

Deno.test(
  "setName() in a forked child leaves the parent's name alone, and a program brings its own",
  withFormerName(() => {
    setName("the parent's");
    const [reader, writer] = pipe();
    const raw = reap(forkWith(() => {
      setName("the child's");
      assertEquals(getName(), "the child's");
      dup2(writer, 1);
      execl("/bin/cat", "cat", "/proc/self/comm");
    }));
    close(writer);
    assertEquals([raw, getName()], [0, "the parent's"]);
    assertEquals(new TextDecoder().decode(readAll(reader)), "cat\n");
    close(reader);
  }),
);

Deno.test("setName() refuses what the kernel would cut", () => {
  const before = getName();
  for (const name of ["sixteen bytes...", "六个汉字太长"]) {
    assertThrows(() => setName(name), RangeError, "'name'");
  }
  for (const name of ["a\0b", "\ud800", 7, null]) {
    assertThrows(() => setName(name as string), TypeError, "'name'");
  }
  assertEquals(getName(), before);
});
