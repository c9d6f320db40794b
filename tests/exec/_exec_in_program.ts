import { becomeShell } from "./_exec_fixture.ts";

becomeShell();
