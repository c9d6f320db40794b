import { fromFileUrl } from "@std/path";
import { writeArchive } from "./_archive.ts";
import { output } from "./_output.ts";
import type { System } from "./_system.ts";

/** What of the repository the machine gets. */
const LIBRARY = ["mod.ts", "exec", "ffi", "ipc", "process", "wait", "tests"]
  .concat("examples", "deno.json");

/** What the machine prints last. */
const END = "The machine has done its work.";

const repository = fromFileUrl(new URL("../../", import.meta.url));

/**
 * Boots an emulated machine whose only program is a shell command in a copy of the repository, shows what it prints, and gives
 * all of it. The machine has no disk and no network, and is switched off at the end; no later than after `minutes`.
 */
export async function runOnMachine(
  system: System,
  command: string,
  minutes: number,
): Promise<string> {
  const directory = await Deno.makeTempDir();
  try {
    const files = `${directory}/files.cpio`;
    await layOut(`${directory}/own`, command);
    await writeArchive(files, [system.root, `${directory}/own`]);
    return await boot(system.kernel, files, minutes);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

/** The files that are not Debian's: the repository, and the first program. */
async function layOut(root: string, command: string): Promise<void> {
  for (const name of ["library", "dev", "proc", "root", "sys", "tmp"]) {
    await Deno.mkdir(`${root}/${name}`, { recursive: true });
  }
  await Deno.chmod(`${root}/root`, 0o700);
  const sources = LIBRARY.map((name) => `${repository}${name}`);
  await output("cp", ["-R", ...sources, `${root}/library`]);
  await Deno.writeTextFile(
    `${root}/init`,
    `#!/bin/sh
export PATH=/usr/bin:/bin:/usr/sbin:/sbin HOME=/root NO_COLOR=1
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
mkdir /dev/pts /dev/shm
mount -t devpts devpts /dev/pts
mount -t tmpfs tmpfs /dev/shm
mount -t tmpfs tmpfs /tmp
ln -s /proc/self/fd /dev/fd
ln -s fd/0 /dev/stdin
ln -s fd/1 /dev/stdout
ln -s fd/2 /dev/stderr
ip link set lo up
cd /library
uname -srm
(
${command}
) </dev/null
echo "${END}"
echo o > /proc/sysrq-trigger
sleep 60
`,
    { mode: 0o755 },
  );
}

async function boot(
  kernel: string,
  files: string,
  minutes: number,
): Promise<string> {
  const machine = new Deno.Command("qemu-system-aarch64", {
    args: [
      ...["-machine", "virt", "-cpu", "neoverse-n1", "-smp", "2"],
      ...["-m", "4096", "-accel", "tcg,thread=multi", "-no-reboot"],
      ...["-nodefaults", "-nographic", "-serial", "stdio"],
      ...["-kernel", kernel, "-initrd", files],
      ...["-append", "console=ttyAMA0 quiet panic=-1"],
    ],
    stdin: "null",
    stdout: "piped",
    signal: AbortSignal.timeout(minutes * 60_000),
  }).spawn();
  const decoder = new TextDecoder();
  let text = "";
  for await (const bytes of machine.stdout) {
    await Deno.stdout.write(bytes);
    text += decoder.decode(bytes, { stream: true });
  }
  text += decoder.decode();
  const { code } = await machine.status;
  // The emulator calls it a success when it is told to end.
  if (text.includes(END)) return text;
  throw new Error(
    `The machine ended early with ${code}, ${minutes} min being its time`,
  );
}
