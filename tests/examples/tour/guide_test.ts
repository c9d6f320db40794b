import { assertEquals, assertMatch } from "@std/assert";
import { Guide } from "../../../examples/tour/guide.ts";

/** A guide that nobody makes start anything, and what it says. */
function guide(selected?: string) {
  const told = { changes: 0, quits: 0 };
  const guide = new Guide(selected, {
    size: { columns: 80, rows: 24 },
    onChange: () => told.changes++,
    onQuit: () => told.quits++,
    onFailure(error) {
      throw error;
    },
  });
  return {
    told,
    resize: (columns: number, rows: number) => guide.resize({ columns, rows }),
    type: (keys: string) => guide.type(new TextEncoder().encode(keys)),
    lines: () => guide.draw().canvas.lines(false),
    get text() {
      return this.lines().join("\n");
    },
  };
}

Deno.test("Guide chooses by arrows and letters, and stays in the list", () => {
  const { told, type, lines } = guide();
  const chosen = () =>
    lines().find((line) => /^[>-] /.test(line))!.slice(2, 20);
  assertMatch(chosen(), /^fork /);
  type("jj\x1b[Bk");
  assertMatch(chosen(), /^zombie /);
  type("\x1b[F");
  assertMatch(chosen(), /^prefork /);
  type("j");
  assertMatch(chosen(), /^prefork /);
  type("\x1b[5~gk");
  assertMatch(chosen(), /^fork /);
  assertEquals(told, { changes: 4, quits: 0 });
  type("x");
  type("q");
  type("\x03");
  assertEquals(told.quits, 2);
});

Deno.test("Guide knows examples by their names, and pairs by either", () => {
  assertMatch(guide("kill").text, /^> kill /m);
  assertMatch(guide("fifo-talk-2").text, /^> fifo-talk-1, fifo-talk-2/m);
  assertMatch(guide("nothing").text, /^> fork /m);
});

Deno.test("Guide scrolls the source of what is chosen", () => {
  const shown = guide("pipe");
  assertMatch(shown.text, /│── pipe\.ts ─.*\n.*│\/\*\*/);
  assertMatch(shown.text, /deno task example:pipe \(--allow-ffi\)/);
  shown.type("\t");
  assertMatch(shown.text, /│>> pipe\.ts ─/);
  assertMatch(shown.text, /^- pipe /m);
  shown.type("j\x1b[C");
  assertMatch(shown.text, /│>> pipe\.ts ─.*\n.*│ux \| grep/);
  shown.type("\x1b[D\x1b[DG");
  assertEquals(shown.text.includes("/**"), false);
  shown.type("\t");
  shown.type("j");
  assertMatch(shown.text, /│── pipeline\.ts ─.*\n.*│\/\*\*/);
});

Deno.test("Guide hides the source, and shows what each is about instead", () => {
  const shown = guide();
  shown.type("\t");
  shown.type("s");
  assertMatch(shown.text, /^> fork +One process becomes two\./m);
  assertEquals(shown.text.includes("│"), false);
  shown.type("s");
  shown.resize(120, 50);
  assertEquals(shown.lines().length, 50);
  assertMatch(shown.text, /│── fork\.ts ─/);
});
