import { becomeShell } from "./_exec_fixture.ts";

Deno.test("becomes a shell", becomeShell);
