import { assertEquals, assertMatch } from "@std/assert";
import {
  chapters,
  commandOf,
  plainList,
  startsOf,
} from "../../../examples/tour/chapters.ts";
import { textWidth } from "../../../examples/tour/text.ts";
import { directoryEntries, withoutLeaks } from "../../_helpers.ts";
import config from "../../../deno.json" with { type: "json" };
import { fromFileUrl } from "@std/path";

const stops = chapters.flatMap(({ stops }) => stops);

Deno.test(
  "the tour has every example in a chapter, and once",
  withoutLeaks(() => {
    const shown = stops.flatMap((stop) => [
      ...new Set(startsOf(stop).map(({ example }) => example)),
    ]);
    const tasks = Object.keys(config.tasks)
      .filter((name) => name.startsWith("example:"))
      .map((name) => name.slice("example:".length));
    assertEquals(shown.toSorted(), tasks.toSorted());
    const files = directoryEntries(
      fromFileUrl(new URL("../../../examples", import.meta.url)),
    ).filter((name) => /^[a-z].*\.ts$/.test(name) && name !== "tour.ts");
    assertEquals(
      shown.map((name) => `${name.replaceAll("-", "_")}.ts`).toSorted(),
      files.toSorted(),
    );
  }),
);

Deno.test("the tour's sentences fit into a line of 80 beside the names", () => {
  for (const { name, sentence, hint = "" } of stops) {
    assertMatch(sentence, /^\S.*\.$/);
    assertEquals(textWidth(name) <= 25, true, name);
    assertEquals(textWidth(sentence) <= 80 - 28, true, sentence);
    assertEquals(textWidth(`${name}: ${sentence}`) <= 80, true, sentence);
    assertEquals(textWidth(hint) <= 80 - 17 - 1, true, hint);
  }
  for (const line of plainList().split("\n")) {
    assertEquals(textWidth(line) <= 80, true, line);
  }
});

Deno.test("commandOf() has the permissions of the example's task", () => {
  const { args, path, permissions } = commandOf("prefork");
  assertEquals(permissions, ["--allow-ffi", "--allow-net=127.0.0.1"]);
  assertMatch(path, /\/examples\/prefork\.ts$/);
  assertEquals(args, ["run", ...permissions, path]);
});
