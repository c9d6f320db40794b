import type { ProcessNode } from "../../process/mod.ts";

const STATES: Record<string, string> = {
  R: "runs",
  D: "waits for a device",
  T: "stopped",
  Z: "zombie",
};

/**
 * The tree of processes below this one, a line each: script or name, pid, and its state unless it sleeps, as nearly
 * all do.
 */
export function treeLines(root: ProcessNode): string[] {
  return [`this tour ${root.pid}`, ...below(root, "")];
}

function below({ children }: ProcessNode, indent: string): string[] {
  return children.flatMap((child, index) => {
    const isLast = index === children.length - 1;
    return [
      `${indent}${isLast ? "└─" : "├─"}${describe(child)}`,
      ...below(child, indent + (isLast ? "  " : "│ ")),
    ];
  });
}

function describe({ name, pid, state, command }: ProcessNode): string {
  const script = command.find((word) => word.endsWith(".ts"));
  // Unless it has given itself a name, Deno is called as the file that it was started by, which is exe here.
  const isDeno = /^(deno.*|exe)$/.test(name);
  const title = isDeno ? script?.split("/").at(-1) ?? "deno" : name;
  return [title, pid, STATES[state]].filter((part) => part !== undefined)
    .join(" ");
}
