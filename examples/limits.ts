/**
 * The limits of the process, as bash's `ulimit -a` prints them: the soft ones, in the shell's units.
 *
 * Mirrors resource.getrlimit() in Python. Deno raises the number of open files to the hard limit when it starts, and
 * programs that it starts inherit that; a shell that started Deno may show less.
 *
 * Run it: deno task example:limits
 */
import { PIPE_BUF } from "../ipc/mod.ts";
import { getrlimit, type Resource } from "../process/mod.ts";

/** The soft limit, in whole units of so many bytes. */
function limit(resource: Resource, unit = 1): number {
  return Math.floor(getrlimit(resource).soft / unit);
}

const rows: [name: string, unit: string, value: number][] = [
  ["real-time non-blocking time", "microseconds, -R", limit("RLIMIT_RTTIME")],
  ["core file size", "blocks, -c", limit("RLIMIT_CORE", 1024)],
  ["data seg size", "kbytes, -d", limit("RLIMIT_DATA", 1024)],
  ["scheduling priority", "-e", limit("RLIMIT_NICE")],
  ["file size", "blocks, -f", limit("RLIMIT_FSIZE", 1024)],
  ["pending signals", "-i", limit("RLIMIT_SIGPENDING")],
  ["max locked memory", "kbytes, -l", limit("RLIMIT_MEMLOCK", 1024)],
  ["max memory size", "kbytes, -m", limit("RLIMIT_RSS", 1024)],
  ["open files", "-n", limit("RLIMIT_NOFILE")],
  ["pipe size", "512 bytes, -p", PIPE_BUF / 512], // what one write has atomic
  ["POSIX message queues", "bytes, -q", limit("RLIMIT_MSGQUEUE")],
  ["real-time priority", "-r", limit("RLIMIT_RTPRIO")],
  ["stack size", "kbytes, -s", limit("RLIMIT_STACK", 1024)],
  ["cpu time", "seconds, -t", limit("RLIMIT_CPU")],
  ["max user processes", "-u", limit("RLIMIT_NPROC")],
  ["virtual memory", "kbytes, -v", limit("RLIMIT_AS", 1024)],
  ["file locks", "-x", limit("RLIMIT_LOCKS")],
];

for (const [name, unit, value] of rows) {
  const figure = value === Infinity ? "unlimited" : value;
  console.log(`${name.padEnd(20)}${`(${unit})`.padStart(20)} ${figure}`);
}
