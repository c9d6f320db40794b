import { assertEquals, assertMatch } from "@std/assert";
import { Canvas } from "../../../examples/tour/canvas.ts";
import { chapters } from "../../../examples/tour/chapters.ts";
import { layoutList, layoutRun } from "../../../examples/tour/layout.ts";
import { textWidth } from "../../../examples/tour/text.ts";
import { treeLines } from "../../../examples/tour/tree_lines.ts";
import {
  drawList,
  drawRun,
  firstLine,
  type ListView,
  type RunView,
} from "../../../examples/tour/views.ts";
import type { ProcessNode } from "../../../process/mod.ts";

const TOP = { top: 0, left: 0 };
const lines = Array.from({ length: 100 }, (_, index) => `line ${index} 进程`);
const size = { columns: 80, rows: 24 };

const list: ListView = {
  chapters,
  selected: chapters[0]!.stops[0]!,
  command: "deno task example:fork",
  source: { title: "fork.ts", lines, scroll: TOP },
  showSource: true,
  focus: "list",
  message: "",
};

const run: RunView = {
  title: "fork: two",
  outputs: [{
    title: "fork 1",
    lines,
    scroll: { top: Infinity, left: 0 },
    cursor: { x: 3, y: 99 },
  }],
  source: { title: "fork.ts", lines, scroll: TOP },
  tree: { title: "processes", lines: ["this tour 1"], scroll: TOP },
  showSource: true,
  focus: 0,
  message: "hint",
  keys: "Esc end",
};

Deno.test("layoutRun() fills a screen of 80 x 24, and wider ones otherwise", () => {
  assertEquals(layoutRun(size, 1, true), {
    outputs: [{ x: 0, y: 1, width: 80, height: 11 }],
    source: { x: 0, y: 12, width: 49, height: 11 },
    tree: { x: 50, y: 12, width: 30, height: 11 },
  });
  assertEquals(layoutRun(size, 2, false), {
    outputs: [
      { x: 0, y: 1, width: 39, height: 15 },
      { x: 40, y: 1, width: 40, height: 15 },
    ],
    source: undefined,
    tree: { x: 0, y: 16, width: 80, height: 7 },
  });
  assertEquals(layoutRun({ columns: 161, rows: 42 }, 2, true), {
    outputs: [
      { x: 81, y: 1, width: 80, height: 13 },
      { x: 81, y: 14, width: 80, height: 13 },
    ],
    source: { x: 0, y: 1, width: 80, height: 40 },
    tree: { x: 81, y: 27, width: 80, height: 14 },
  });
  assertEquals(layoutList(size, true).source?.width, 51);
  assertEquals(layoutList({ columns: 50, rows: 24 }, true).source, undefined);
});

Deno.test("pictures are as large as the screen, however small that is", () => {
  const outputs = [run.outputs[0]!, run.outputs[0]!];
  for (
    const [columns, rows] of [[80, 24], [200, 60], [20, 6], [3, 2], [1, 1]]
  ) {
    const size = { columns: columns!, rows: rows! };
    for (
      const { canvas, cursor } of [
        drawList(size, list),
        drawList(size, { ...list, showSource: false }),
        drawRun(size, run),
        drawRun(size, { ...run, outputs, showSource: false }),
      ]
    ) {
      const lines = canvas.lines(false);
      assertEquals(lines.length, rows);
      assertEquals(lines.map(textWidth), Array(rows).fill(columns));
      if (cursor === undefined) continue;
      assertEquals(cursor.x < columns! && cursor.y < rows!, true);
    }
  }
});

Deno.test("drawList() shows the chosen one, wherever it is", () => {
  for (const selected of chapters.flatMap(({ stops }) => stops)) {
    const drawn = drawList(size, { ...list, selected }).canvas.lines(false);
    assertEquals(
      drawn.filter((line) => line.startsWith(`> ${selected.name} `)).length,
      1,
      drawn.join("\n"),
    );
    assertMatch(drawn.join("\n"), /line 3 进程/);
  }
  const drawn = drawList(size, { ...list, showSource: false }).canvas
    .lines(false).join("\n");
  assertMatch(drawn, /^> fork +One process becomes two\./m);
  assertEquals(drawn.includes("line 3"), false);
});

Deno.test("drawRun() shows the last lines, and the cursor in them", () => {
  const { canvas, cursor } = drawRun(size, run);
  const drawn = canvas.lines(false);
  assertMatch(drawn[1]!, /^>> fork 1 ─+$/);
  assertMatch(drawn[2]!, /^line 90 /);
  assertMatch(drawn[11]!, /^line 99 /);
  assertMatch(drawn[13]!, /^line 0 进程 +│this tour 1 +$/);
  assertMatch(drawn[23]!, /^hint +Esc end$/);
  assertEquals(cursor, { x: 3, y: 11 });
  assertEquals(drawRun(size, { ...run, focus: "tree" }).cursor, undefined);
});

Deno.test("a pane can be scrolled both ways", () => {
  const source = { ...run.source, scroll: { top: 50, left: 5 } };
  const [first] = drawRun(size, { ...run, source }).canvas.lines(false)
    .slice(13);
  assertMatch(first!, /^50 进程 /);
  assertEquals(firstLine({ top: 95, left: 0 }, 100, 10), 90);
  assertEquals(firstLine({ top: 5, left: 0 }, 3, 10), 0);
});

Deno.test("Canvas writes colours only where they are wanted", () => {
  const canvas = new Canvas(6, 1);
  canvas.put(1, 0, 2, "进程", "title");
  canvas.put(3, 0, 9, "\u0301ab");
  assertEquals(canvas.lines(true), [" \x1b[0;1m进\x1b[0mab "]);
  assertEquals(canvas.lines(false), [" 进ab "]);
  canvas.put(2, 0, 1, "x", "chosen");
  assertEquals(canvas.lines(false), ["  xab "]);
  canvas.put(0, 7, 1, "nowhere");
  canvas.put(7, 0, 1, "nowhere");
  assertEquals(canvas.lines(false), ["  xab "]);
});

Deno.test("treeLines() names scripts, and states that are not usual", () => {
  const node = (
    pid: number,
    name: string,
    state: string,
    command: string[],
    children: ProcessNode[] = [],
  ) => ({ pid, name, state, command, children } as ProcessNode);
  const script = ["deno", "run", "/x/examples/fork.ts"];
  assertEquals(
    treeLines(node(1, "deno", "R", [], [
      node(2, "exe", "S", script, [
        node(3, "deno", "R", script),
        node(4, "mine", "T", script),
      ]),
      node(5, "cat", "Z", []),
    ])),
    [
      "this tour 1",
      "├─fork.ts 2",
      "│ ├─fork.ts 3 runs",
      "│ └─mine 4 stopped",
      "└─cat 5 zombie",
    ],
  );
});
