/** A key by its name where it has one, or the character that it types. */
export type Key = string;

const NAMES: Record<string, Key> = {
  "\x1b[A": "up",
  "\x1b[B": "down",
  "\x1b[C": "right",
  "\x1b[D": "left",
  "\x1b[H": "home",
  "\x1b[1~": "home",
  "\x1b[7~": "home",
  "\x1b[F": "end",
  "\x1b[4~": "end",
  "\x1b[8~": "end",
  "\x1b[5~": "page up",
  "\x1b[6~": "page down",
  "\x1b[Z": "back tab",
  "\x1b": "escape",
  "\t": "tab",
  "\r": "enter",
  "\n": "enter",
  "\x03": "ctrl c",
  "\x04": "ctrl d",
  "\x1d": "ctrl ]",
};

// deno-lint-ignore no-control-regex
const KEY = /\x1b\[[\d;]*[A-Za-z~]|\x1bO[A-Z]|./gsu;

/**
 * The keys in what a terminal sends. Escape is told from the start of another key's sequence by what comes with it
 * at once, as there is no other way.
 */
export function parseKeys(typed: string): Key[] {
  return [...typed.matchAll(KEY)].map(([bytes]) =>
    NAMES[bytes.replace("\x1bO", "\x1b[")] ?? bytes
  );
}
