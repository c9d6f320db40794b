import type { Layout } from "../../ffi/layouts.ts";
import { runDeno } from "./_programs.ts";

/** What the library exports on machines of an architecture: every constant, every layout. */
export function definitions(arch: string): {
  constants: Record<string, number>;
  layouts: Record<string, Layout>;
} {
  return JSON.parse(runDeno("_definitions_program.ts", [arch]).stdout);
}
