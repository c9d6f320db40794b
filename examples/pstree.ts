/**
 * The tree of processes, as `pstree -p -l` draws it: of the whole system, or below a pid. Threads are in braces.
 *
 * Run it: deno task example:pstree [pid]
 */
import { isatty } from "../ipc/mod.ts";
import { PosixError } from "../mod.ts";
import { listThreads, type ProcessNode, processTree } from "../process/mod.ts";

const [only, first, next, last, through] = isatty(1)
  ? ["───", "─┬─", " ├─", " └─", " │ "]
  : ["---", "-+-", " |-", " `-", " | "];

/** Something to draw: a process or a thread. */
interface Item {
  name: string;
  id: number;
  uid: number;
  children: Item[];
}

function itemOf({ name, pid, uid, children }: ProcessNode): Item {
  const threads = threadsOf(pid).map((id) => (
    { name: `{${name}}`, id, uid, children: [] }
  ));
  const items = [...children.map(itemOf), ...threads].sort((a, b) =>
    compare(a.name, b.name) || a.uid - b.uid
  );
  return { name, id: pid, uid, children: items };
}

function threadsOf(pid: number): number[] {
  try {
    return listThreads(pid).map(({ tid }) => tid).filter((tid) => tid !== pid);
  } catch (error) {
    if (error instanceof PosixError && error.code === "ESRCH") return []; // it has ended
    throw error;
  }
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** The lines of an item: the first has no indent, as it goes on where its parent's ends. */
function draw({ name, id, children }: Item): string[] {
  const title = `${printable(name)}(${id})`;
  const indent = " ".repeat(title.length);
  const lines = children.flatMap((child, index) => {
    const isLast = index === children.length - 1;
    const [head, ...rest] = draw(child);
    const start = index > 0
      ? indent + (isLast ? last : next)
      : title + (isLast ? only : first);
    const below = indent + (isLast ? "   " : through);
    return [start + head, ...rest.map((line) => below + line)];
  });
  return lines.length > 0 ? lines : [title];
}

/** A name may have a newline in it, or worse. */
function printable(name: string): string {
  return name.replace(
    /[\p{Cc}\\]/gu,
    (character) => `\\${character.charCodeAt(0).toString(8).padStart(3, "0")}`,
  );
}

const [pid] = Deno.args.map(Number);
console.log(draw(itemOf(processTree(pid))).join("\n"));
