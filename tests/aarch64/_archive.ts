/** The types of files in a mode. */
const DIRECTORY = 0o040000;
const REGULAR = 0o100000;
const LINK = 0o120000;

const ALIGNMENT = 4;
const encoder = new TextEncoder();

/**
 * Writes directories, one laid over the other, as a cpio archive of the "new ASCII" format: what Linux unpacks as its first
 * file system. Owners and times are left out: all is root's, and as old as Unix.
 */
export async function writeArchive(
  target: string,
  directories: readonly string[],
): Promise<void> {
  const file = await Deno.open(target, {
    write: true,
    create: true,
    truncate: true,
  });
  const writer = new ArchiveWriter(file.writable.getWriter());
  for (const directory of directories) await writer.add(directory, "");
  await writer.end();
}

class ArchiveWriter {
  readonly #sink: WritableStreamDefaultWriter<Uint8Array>;
  #inode = 0;

  constructor(sink: WritableStreamDefaultWriter<Uint8Array>) {
    this.#sink = sink;
  }

  /** Adds what is in a directory below `root`, whose path there is empty or ends with a slash. */
  async add(root: string, path: string): Promise<void> {
    for await (const entry of Deno.readDir(`${root}/${path}`)) {
      const inside = path + entry.name;
      const outside = `${root}/${inside}`;
      if (entry.isSymlink) {
        const text = encoder.encode(await Deno.readLink(outside));
        await this.#entry(inside, LINK | 0o777, text);
        continue;
      }
      const permissions = (await Deno.stat(outside)).mode! & 0o7777;
      if (entry.isDirectory) {
        await this.#entry(inside, DIRECTORY | permissions, new Uint8Array());
        await this.add(root, `${inside}/`);
      } else {
        const data = await Deno.readFile(outside);
        await this.#entry(inside, REGULAR | permissions, data);
      }
    }
  }

  async end(): Promise<void> {
    await this.#entry("TRAILER!!!", 0, new Uint8Array());
    await this.#sink.close();
  }

  async #entry(name: string, mode: number, data: Uint8Array): Promise<void> {
    const path = encoder.encode(`${name}\0`);
    const fields = [
      ++this.#inode,
      mode,
      ...[0, 0], // owner and group
      1, // links
      0, // time
      data.length,
      ...[0, 0, 0, 0], // the device that it is on, and the device that it is
      path.length,
      0, // checksum
    ];
    const numbers = fields.map((field) => field.toString(16).padStart(8, "0"));
    await this.#aligned(encoder.encode(`070701${numbers.join("")}`), path);
    await this.#aligned(data);
  }

  async #aligned(...parts: Uint8Array[]): Promise<void> {
    const length = parts.reduce((sum, part) => sum + part.length, 0);
    for (const part of parts) await this.#sink.write(part);
    await this.#sink.write(new Uint8Array(-length & (ALIGNMENT - 1)));
  }
}
