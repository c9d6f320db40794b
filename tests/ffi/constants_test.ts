import { assertEquals, assertGreater } from "@std/assert";
import { withoutLeaks } from "../_helpers.ts";
import { evaluate, targets } from "./_compiler.ts";
import { definitions } from "./_definitions.ts";

const HEADERS = [
  "asm/termbits.h",
  "dirent.h",
  "fcntl.h",
  "limits.h",
  "linux/aio_abi.h",
  "linux/futex.h",
  "linux/sched.h",
  "poll.h",
  "pthread.h",
  "sched.h",
  "signal.h",
  "sys/epoll.h",
  "sys/eventfd.h",
  "sys/file.h",
  "sys/ioctl.h",
  "sys/mman.h",
  "sys/prctl.h",
  "sys/resource.h",
  "sys/signalfd.h",
  "sys/socket.h",
  "sys/stat.h",
  "sys/syscall.h",
  "sys/time.h",
  "sys/timerfd.h",
  "sys/wait.h",
  "unistd.h",
];

for (const { arch, compiler, note } of targets) {
  Deno.test({
    name: `constants are those of C's headers on ${note}`,
    ignore: compiler === null,
    fn: withoutLeaks(async () => {
      const { constants } = definitions(arch);
      const names = Object.keys(constants);
      assertGreater(names.length, 100);
      const expected = await evaluate(compiler!, HEADERS, names.map(inC));
      const expectedByName = Object.fromEntries(
        names.map((name, index) => [name, expected[index]!]),
      );
      assertEquals(constants, expectedByName);
    }),
  });
}

/** The constant as C knows it; -1 for a system call that the architecture lacks. */
function inC(name: string): string {
  if (!name.startsWith("SYS_")) return name;
  return `\n#ifdef ${name}\n${name}\n#else\n-1\n#endif\n`;
}
