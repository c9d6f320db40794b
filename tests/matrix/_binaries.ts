/** The versions of Deno that the capability program runs under: the oldest, the newest, and some between. */
export const versions: readonly string[] = [
  "2.0.6",
  "2.2.12",
  "2.4.4",
  "2.6.8",
  "2.8.3",
  "2.9.6",
];

/** How long fetching them may take. */
const DEADLINE_SECONDS = 150;

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

/**
 * The paths of those versions' binaries, by version. What is neither there already nor the very one that runs this is fetched
 * from the npm registry.
 */
export async function binaries(
  wanted: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  const paths = new Map<string, string>();
  const missing: string[] = [];
  for (const version of wanted) {
    const candidates = [Deno.execPath(), `${cacheDirectory()}/${version}/deno`];
    for (const path of candidates) {
      if (await reportedVersion(path) === version) paths.set(version, path);
    }
    if (!paths.has(version)) missing.push(version);
  }
  if (missing.length > 0) await fetchBinaries(missing);
  for (const version of missing) {
    const path = `${cacheDirectory()}/${version}/deno`;
    if (await reportedVersion(path) !== version) {
      throw new Error(`${path} is not Deno ${version}`);
    }
    paths.set(version, path);
  }
  return paths;
}

async function fetchBinaries(wanted: readonly string[]): Promise<void> {
  const directory = cacheDirectory();
  const name = packages[Deno.build.arch]!;
  await Deno.mkdir(directory, { recursive: true });
  const scratch = await Deno.makeTempDir({ dir: directory });
  try {
    // One call for all, which loads them at the same time. By itself npm would wait for minutes, and try again and again.
    await run("npm", scratch, [
      "pack",
      "--loglevel=error",
      "--fetch-timeout=30000",
      "--fetch-retries=1",
      "--fetch-retry-mintimeout=1000",
      `--cache=${scratch}/npm`,
      ...wanted.map((version) => `${name}@${version}`),
    ]);
    await Promise.all(wanted.map(async (version) => {
      const archive = `${name.slice(1).replace("/", "-")}-${version}.tgz`;
      const unpacked = `${scratch}/${version}`;
      await Deno.mkdir(unpacked);
      await run("tar", unpacked, ["-xzf", `../${archive}`, "package/deno"]);
      await Deno.chmod(`${unpacked}/package/deno`, 0o755);
      // Moved into place as a whole: another run never finds half of it.
      const place = `${directory}/${version}`;
      await Deno.remove(place, { recursive: true }).catch(() => {});
      await Deno.rename(`${unpacked}/package`, place);
    }));
  } finally {
    await Deno.remove(scratch, { recursive: true });
  }
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
  // It ends what the program has started, too.
  const { success, code, stderr } = await new Deno.Command("timeout", {
    args: [`${DEADLINE_SECONDS}`, program, ...args],
    cwd,
  }).output();
  if (success) return;
  const reason = code === 124
    ? `not over within ${DEADLINE_SECONDS} seconds`
    : new TextDecoder().decode(stderr).trim() || `exit ${code}`;
  throw new Error(`${program} ${args.join(" ")}: ${reason}`);
}
