import { output } from "./_output.ts";

/** The newest Deno that the npm registry has for the architecture. */
const DENO = "2.9.5";

/** Debian's packages: the kernel, what the tests run (`sh`, `cat`, `grep`, `ps`, …), and what Deno needs. */
const PACKAGES = ["linux-image-arm64", "dash", "bash", "coreutils", "grep"]
  .concat(
    "sed",
    "findutils",
    "procps",
    "mount",
    "iproute2",
    "libc6",
    "libc-bin",
    "libgcc-s1",
  )
  .concat("ncurses-base");

/** What the packages bring along and nothing here uses. */
const SUPERFLUOUS = ["boot", "lib/modules", "usr/lib/modules", "usr/share/doc"]
  .concat("usr/share/locale", "usr/share/man", "usr/share/perl");

/** A Linux system for aarch64: its kernel, and the directory of its files. */
export interface System {
  readonly kernel: string;
  readonly root: string;
}

/** Fetches Debian's packages and Deno's binary into a directory of the user's cache, unless they are there already. */
export async function fetchSystem(): Promise<System> {
  const directory = `${cacheDirectory()}/deno-${DENO}-${await contents()}`;
  const system = { kernel: `${directory}/kernel`, root: `${directory}/root` };
  if (await exists(directory)) return system;
  await Deno.mkdir(cacheDirectory(), { recursive: true });
  const scratch = await Deno.makeTempDir({ dir: cacheDirectory() });
  try {
    await Deno.mkdir(`${scratch}/root`);
    await unpackDebian(scratch);
    await unpackDeno(scratch);
    // Moved into place as a whole: another run never finds half of it.
    await Deno.mkdir(`${scratch}/done`);
    await Deno.rename(`${scratch}/kernel`, `${scratch}/done/kernel`);
    await Deno.rename(`${scratch}/root`, `${scratch}/done/root`);
    await Deno.rename(`${scratch}/done`, directory);
  } finally {
    await Deno.remove(scratch, { recursive: true });
  }
  return system;
}

/** What a system is made of, as a short text: with other packages it is another one. */
async function contents(): Promise<string> {
  const list = new TextEncoder().encode([...PACKAGES, ...SUPERFLUOUS].join());
  const digest = await crypto.subtle.digest("SHA-256", list);
  return new Uint8Array(digest).toHex().slice(0, 8);
}

function cacheDirectory(): string {
  const home = Deno.env.get("HOME");
  const cache = Deno.env.get("XDG_CACHE_HOME") ??
    (home === undefined ? "/tmp" : `${home}/.cache`);
  return `${cache}/posix-process-aarch64`;
}

async function exists(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}

/** Packages of another architecture, without that this system's own package manager learns of it; nothing is installed. */
async function unpackDebian(scratch: string): Promise<void> {
  const archives = `${scratch}/apt/cache/archives`;
  await Deno.mkdir(`${archives}/partial`, { recursive: true });
  await Deno.mkdir(`${scratch}/apt/lists/partial`, { recursive: true });
  await Deno.writeTextFile(`${scratch}/apt/status`, "");
  const options = {
    "APT::Architecture": "arm64",
    "APT::Architectures": "arm64",
    "APT::Sandbox::User": "",
    "Dir::State": `${scratch}/apt`,
    "Dir::State::status": `${scratch}/apt/status`,
    "Dir::Cache": `${scratch}/apt/cache`,
    "Debug::NoLocking": "true",
  };
  const flags = Object.entries(options)
    .flatMap(([name, value]) => ["-o", `${name}=${value}`]);
  await output("apt-get", [...flags, "update"]);
  await output("apt-get", [
    ...flags,
    "install",
    "--yes",
    "--download-only",
    "--no-install-recommends",
    ...PACKAGES,
  ]);
  for await (const { name } of Deno.readDir(archives)) {
    if (!name.endsWith(".deb")) continue;
    await output("dpkg-deb", ["-x", `${archives}/${name}`, `${scratch}/root`]);
  }
  for await (const { name } of Deno.readDir(`${scratch}/root/boot`)) {
    if (!name.startsWith("vmlinuz-")) continue;
    await Deno.rename(`${scratch}/root/boot/${name}`, `${scratch}/kernel`);
  }
  for (const path of SUPERFLUOUS) {
    await Deno.remove(`${scratch}/root/${path}`, { recursive: true })
      .catch(() => {});
  }
}

async function unpackDeno(scratch: string): Promise<void> {
  const name = `@deno/linux-arm64-glibc@${DENO}`;
  const flags = ["pack", "--silent", "--pack-destination", scratch];
  const archive = (await output("npm", [...flags, name])).trim();
  await output("tar", ["-xzf", `${scratch}/${archive}`, "-C", scratch]);
  await Deno.chmod(`${scratch}/package/deno`, 0o755);
  await Deno.rename(`${scratch}/package/deno`, `${scratch}/root/usr/bin/deno`);
}
