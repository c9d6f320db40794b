import { close, O_RDONLY, open, readAll } from "../../ipc/mod.ts";
import { commandOf } from "./chapters.ts";

const sources = new Map<string, string[]>();

/** The lines of an example's file. */
export function sourceOf(example: string): string[] {
  let lines = sources.get(example);
  if (lines === undefined) {
    lines = readText(commandOf(example).path).trimEnd().split("\n");
    sources.set(example, lines);
  }
  return lines;
}

/** The text of a file, read by the library: Deno's own functions would need a permission for it. */
export function readText(path: string): string {
  const fd = open(path, O_RDONLY);
  try {
    return new TextDecoder().decode(readAll(fd));
  } finally {
    close(fd);
  }
}
