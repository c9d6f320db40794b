import { assert, assertEquals, assertThrows } from "@std/assert";
import { PosixError } from "../../ffi/errors.ts";
import {
  close,
  dup2,
  O_CREAT,
  O_RDONLY,
  O_WRONLY,
  open,
  pipe,
  poll,
  readAll,
  writeAll,
} from "../../ipc/mod.ts";
import { _exit } from "../../process/_exit.ts";
import { daemonize, type DaemonOptions } from "../../process/daemonize.ts";
import { readDescriptorLink } from "../../process/_fork/proc_file.ts";
import { getpgrp, getpid, getppid, getsid } from "../../process/ids.ts";
import { kill } from "../../process/kill.ts";
import { setChildSubreaper, umask } from "../../process/attributes.ts";
import { setSignal } from "../../process/set_signal.ts";
import { waitpid } from "../../wait/wait.ts";
import {
  assertOpenDescriptors,
  directoryEntries,
  forkWith,
  openDescriptors,
  readText,
  reap,
  withDirectory,
  withoutLeaks,
} from "../_helpers.ts";

const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

/** Runs a test in a child that daemons fall to, so that they can be waited for, with a directory to itself. */
function asSubreaper(
  body: (directory: string) => void,
): () => Promise<void> {
  return withoutLeaks(() =>
    withDirectory((directory) => {
      const raw = reap(forkWith(() => {
        setChildSubreaper(true);
        body(directory);
      }));
      assertEquals(raw, 0);
    })
  );
}

/** What a starter has said on its standard error, and how it has ended. */
function start(
  options: DaemonOptions,
  daemon: () => number | void = () => {},
): { raw: number; stderr: string } {
  const [reader, writer] = pipe();
  const starter = forkWith(() => {
    dup2(writer, 2);
    close(writer);
    close(reader);
    daemonize(options);
    return daemon();
  });
  close(writer);
  const stderr = decode(readAll(reader));
  close(reader);
  return { raw: reap(starter), stderr };
}

/** Waits for whichever child there is, and gives its raw status. */
function reapAny(): number {
  return waitpid(-1)!.raw;
}

/** The pid in a pid file. */
function pidIn(path: string): number {
  const text = readText(path);
  assert(/^\d+\n$/.test(text), text);
  return Number(text);
}

/** Lets a daemon of these tests live until it is killed, and no longer than ten seconds. */
function live(): void {
  poll([], 10_000);
}

Deno.test(
  "daemonize() makes a process that is on its own in every respect",
  asSubreaper((directory) => {
    const [reader, writer] = pipe();
    const [other, another] = pipe();
    const subreaper = getpid();
    umask(0o077);
    setSignal("SIGUSR1", "ignore");
    const starter = forkWith(() => {
      daemonize({ closeFds: { except: [writer] } });
      const facts = {
        pid: getpid(),
        ppid: getppid(),
        leadsSession: getsid() === getpid(),
        leadsGroup: getpgrp() === getpid(),
        cwd: cwd(),
        umask: umask(0),
        standard: [0, 1, 2].map(readDescriptorLink),
        others: [other, another].map(readDescriptorLink),
        ignored: ignored(),
      };
      writeAll(writer, JSON.stringify(facts));
    });
    close(writer);
    const { pid, ...facts } = JSON.parse(decode(readAll(reader)));
    assertEquals(reap(starter), 0);
    assertEquals(facts, {
      ppid: subreaper,
      leadsSession: false,
      leadsGroup: false,
      cwd: "/",
      umask: 0o022,
      standard: ["/dev/null", "/dev/null", "/dev/null"],
      others: ["/", "/"],
      ignored: ["SIGPIPE"],
    });
    assertEquals(reap(pid), 0);
    assertEquals(directoryEntries(directory).length, 2);
  }),
);

/** The working directory, without the permission that Deno asks for it. */
function cwd(): string {
  const fd = open(".", O_RDONLY);
  const path = readDescriptorLink(fd);
  close(fd);
  return path;
}

function ignored(): string[] {
  const mask = /^SigIgn:\s*([0-9a-f]+)$/m.exec(readText("/proc/self/status"));
  const bits = BigInt(`0x${mask![1]}`);
  return ["SIGUSR1", "SIGPIPE"].filter((_, index) =>
    (bits >> [9n, 12n][index]! & 1n) === 1n
  );
}

Deno.test(
  "daemonize() appends what the daemon prints to its log, and does as it is told",
  asSubreaper((directory) => {
    const [log, pidFile] = [`${directory}/log`, `${directory}/pid`];
    writeFile(log, "before\n");
    const { raw, stderr } = start(
      { cwd: directory, umask: 0o027, log, pidFile },
      () => {
        writeAll(1, `${cwd()} ${umask(0).toString(8)}\n`);
        writeAll(2, "error\n");
        return 3;
      },
    );
    assertEquals([raw, stderr], [0, ""]);
    assertEquals(reap(pidIn(pidFile)), 3 << 8);
    assertEquals(readText(log), `before\n${directory} 27\nerror\n`);
  }),
);

function writeFile(path: string, text: string): void {
  const fd = open(path, O_WRONLY | O_CREAT, 0o644);
  writeAll(fd, text);
  close(fd);
}

Deno.test(
  "daemonize() refuses a second daemon while the first one lives, and takes over what a killed one has left",
  asSubreaper((directory) => {
    const pidFile = `${directory}/pid`;
    writeFile(pidFile, "999999999 and a long line that is stale\n");
    assertEquals(start({ pidFile }, live).raw, 0);
    const first = pidIn(pidFile);

    const before = openDescriptors();
    const error = assertThrows(
      () => daemonize({ pidFile }),
      PosixError,
      `Cannot lock pid file "${pidFile}": flock failed with EAGAIN`,
    );
    assertEquals([error.code, error.path], ["EAGAIN", pidFile]);
    assert(error.message.includes(`process ${first} has it`), error.message);
    assertOpenDescriptors(before);
    assertEquals(pidIn(pidFile), first);

    kill(first, "SIGKILL");
    assertEquals(reap(first), 9);
    assertEquals(pidIn(pidFile), first);
    assertEquals(start({ pidFile }, live).raw, 0);
    const second = pidIn(pidFile);
    assert(second !== first);
    kill(second, "SIGKILL");
    assertEquals(reap(second), 9);
  }),
);

Deno.test(
  "daemonize() throws what cannot be opened, in the starter, and leaves nothing open or locked",
  asSubreaper((directory) => {
    const pidFile = `${directory}/pid`;
    const missing = `${directory}/missing/file`;
    const before = openDescriptors();
    const cases: [DaemonOptions, string, string][] = [
      [{ pidFile: missing }, "ENOENT", missing],
      [{ pidFile: directory }, "EISDIR", directory],
      [{ pidFile, log: missing }, "ENOENT", missing],
      [{ pidFile, cwd: missing }, "ENOENT", missing],
      [{ pidFile, cwd: "/dev/null" }, "ENOTDIR", "/dev/null"],
    ];
    for (const [options, code, path] of cases) {
      const error = assertThrows(() => daemonize(options), PosixError);
      assertEquals([error.code, error.path], [code, path]);
      assertOpenDescriptors(before);
    }
    assertEquals(start({ pidFile }).raw, 0);
    assertEquals(reap(pidIn(pidFile)), 0);
  }),
);

Deno.test(
  "daemonize() has the starter end when the daemon is ready, and not before",
  asSubreaper((directory) => {
    const pidFile = `${directory}/pid`;
    const [reader, writer] = pipe();
    const { raw } = start({
      pidFile,
      closeFds: { except: [writer] },
      onReady(ready) {
        poll([], 50);
        writeAll(writer, "ready");
        ready();
        ready(); // twice without harm
      },
    });
    // What was said before is there when the starter has ended.
    assertEquals(poll([{ fd: reader, events: 1 }], 0).length, 1);
    assertEquals(raw, 0);
    assertEquals(reap(pidIn(pidFile)), 0);
    close(writer);
    assertEquals(decode(readAll(reader)), "ready");
    close(reader);
  }),
);

Deno.test(
  "daemonize() has the starter say why the daemon is not ready, and removes the pid file",
  asSubreaper((directory) => {
    const [pidFile, log] = [`${directory}/pid`, `${directory}/log`];
    const cases: [DaemonOptions["onReady"], string][] = [
      [() => {
        throw new Error("no such port");
      }, "no such port"],
      [(_, fail) => fail("just text"), "just text"],
      [() => _exit(0), `it has ended before it was ready, its log is ${log}`],
      [() => kill(getpid(), "SIGKILL"), "it has ended before it was ready"],
    ];
    for (const [onReady, reason] of cases) {
      const { raw, stderr } = start({ pidFile, log, onReady: onReady! });
      assertEquals(raw, 1 << 8);
      assert(stderr.startsWith(`Cannot start the daemon: ${reason}`), stderr);
      assertEquals(directoryEntries(directory).includes("pid"), false);
      reapAny();
    }
  }),
);

Deno.test(
  "daemonize() kills a daemon that is not ready in time, with all that it has started",
  asSubreaper((directory) => {
    const { raw, stderr } = start({
      pidFile: `${directory}/pid`,
      timeout: 600,
      onReady() {
        forkWith(live);
        live();
      },
    });
    assertEquals(raw, 1 << 8);
    assertEquals(
      stderr,
      "Cannot start the daemon: it was not ready within 600 ms, and was killed\n",
    );
    assertEquals(directoryEntries(directory).includes("pid"), false);
    for (let i = 0; i < 2; i++) assertEquals(reapAny(), 9);
  }),
);

Deno.test("daemonize() refuses wrong options before anything has happened", () => {
  const wrong: [unknown, ErrorConstructor][] = [
    [null, TypeError],
    [{ cwd: 7 }, TypeError],
    [{ cwd: "a\0b" }, TypeError],
    [{ log: null }, TypeError],
    [{ pidFile: {} }, TypeError],
    [{ onReady: "yes" }, TypeError],
    [{ closeFds: 3 }, TypeError],
    [{ umask: "022" }, TypeError],
    [{ umask: 0o1000 }, RangeError],
    [{ umask: -1 }, RangeError],
    [{ timeout: -1 }, RangeError],
    [{ timeout: NaN }, RangeError],
    [{ timeout: "1" }, TypeError],
  ];
  for (const [options, kind] of wrong) {
    assertThrows(() => daemonize(options as DaemonOptions), kind);
  }
});
