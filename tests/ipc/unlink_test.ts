import { assertEquals } from "@std/assert";
import { close, open } from "../../ipc/descriptors.ts";
import { mkfifo, unlink } from "../../ipc/pipes.ts";
import { O_CREAT, O_RDWR, O_WRONLY } from "../../ipc/mod.ts";
import { read, write } from "../../ipc/read_write.ts";
import { withDirectory, withoutLeaks } from "../_helpers.ts";
import {
  assertRefused,
  decode,
  namesIn,
  withoutPermission,
} from "./_helpers.ts";

Deno.test(
  "unlink() removes the name, and leaves it to those who have it open",
  withoutLeaks(() =>
    withDirectory((directory) => {
      const path = `${directory}/fifo-管道`;
      mkfifo(path);
      const fd = open(path, O_RDWR);
      unlink(path);
      assertEquals(namesIn(directory), []);
      write(fd, "nameless");
      assertEquals(decode(read(fd, 100)), "nameless");
      close(fd);
    })
  ),
);

Deno.test(
  "unlink() reports what the kernel refuses, and removes nothing",
  withoutLeaks(() =>
    withDirectory((directory) => {
      const path = `${directory}/file`;
      const missing = () => unlink(path);
      const error = assertRefused(missing, "ENOENT", "unlink", path);
      assertEquals(
        error.message,
        `Cannot remove "${path}": unlink failed with ENOENT (No such file or directory)`,
      );
      assertRefused(() => unlink(""), "ENOENT", "unlink", "");
      assertRefused(
        () => unlink("/dev/null/x"),
        "ENOTDIR",
        "unlink",
        "/dev/null/x",
      );
      assertRefused(() => unlink(directory), "EISDIR", "unlink", directory);
      close(open(path, O_WRONLY | O_CREAT));
      const status = withoutPermission(directory, () => {
        assertRefused(() => unlink(path), "EACCES", "unlink", path);
      });
      assertEquals(status, 0);
      assertEquals(namesIn(directory), ["file"]);
    })
  ),
);
