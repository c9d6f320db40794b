import { assertEquals } from "@std/assert";
import { getpgrp } from "../../process/ids.ts";
import { stat } from "./_stat.ts";

Deno.test("getpgrp() is the group that the kernel knows", () => {
  assertEquals(getpgrp(), stat().pgrp);
});
