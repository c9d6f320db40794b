/** The versions of Deno that the capability program runs under: the oldest, the newest, and some between. */
export const versions: readonly string[] = [
  "2.0.6",
  "2.2.12",
  "2.4.4",
  "2.6.8",
  "2.8.3",
  "2.9.6",
];

const packages: Readonly<Record<string, string>> = {
  x86_64: "@deno/linux-x64-glibc",
  aarch64: "@deno/linux-arm64-glibc",
};

/** Where binaries are kept from run to run, outside the repository. */
function cacheDirectory(): string {
  const home = Deno.env.get("HOME");
  const cache = Deno.env.get("XDG_CACHE_HOME") ??
    (home === undefined ? "/tmp" : `${home}/.cache`);
  return `${cache}/posix-process-matrix/${Deno.build.arch}`;
}

/** The path of that version's binary, which is fetched from the npm registry unless it is there already. */
export async function binary(version: string): Promise<string> {
  const directory = cacheDirectory();
  const path = `${directory}/${version}/deno`;
  if (await reportedVersion(path) === version) return path;
  await Deno.mkdir(directory, { recursive: true });
  const scratch = await Deno.makeTempDir({ dir: directory });
  try {
    await run("npm", scratch, [
      "pack",
      "--silent",
      `${packages[Deno.build.arch]}@${version}`,
    ]);
    const [archive] = [...Deno.readDirSync(scratch)];
    await run("tar", scratch, ["-xzf", archive!.name]);
    await Deno.chmod(`${scratch}/package/deno`, 0o755);
    // Moved into place as a whole: another run never finds half of it.
    await Deno.remove(`${directory}/${version}`, { recursive: true })
      .catch(() => {});
    await Deno.rename(`${scratch}/package`, `${directory}/${version}`);
  } finally {
    await Deno.remove(scratch, { recursive: true });
  }
  if (await reportedVersion(path) === version) return path;
  throw new Error(`${path} is not Deno ${version}`);
}

/** What version a binary says it is; undefined where there is none that runs. */
async function reportedVersion(path: string): Promise<string | undefined> {
  try {
    const { stdout } = await new Deno.Command(path, { args: ["--version"] })
      .output();
    return /^deno (\S+)/.exec(new TextDecoder().decode(stdout))?.[1];
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

async function run(
  program: string,
  cwd: string,
  args: string[],
): Promise<void> {
  const { success, stderr } = await new Deno.Command(program, { args, cwd })
    .output();
  if (success) return;
  const reason = new TextDecoder().decode(stderr).trim();
  throw new Error(`${program} ${args.join(" ")}: ${reason}`);
}
