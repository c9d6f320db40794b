import { F_DUPFD_CLOEXEC, O_CLOEXEC } from "../ffi/constants.ts";
import { checkValue } from "../ffi/_results.ts";
import { descriptorSymbols } from "../ffi/_symbols.ts";
import { close } from "../ipc/close.ts";
import { dup2 } from "../ipc/dup2.ts";
import { dup3 } from "../ipc/dup3.ts";
import { ChildFds } from "./_child_fds.ts";
import type { StandardStream } from "./fork_options.ts";
import { standardCopies } from "./_standard_copies.ts";

const FIRST_AFTER_STDERR = 3;

/** The standard streams of a forked child, which makes them its own itself. */
export class ChildStdio extends ChildFds {
  /** Deno's own copies of 0, 1 and 2 in this process, by those. */
  readonly copies: ReadonlyMap<number, number>;

  /** Looks for the copies, then opens what is asked for. */
  constructor(streams: readonly StandardStream[], copies = standardCopies()) {
    super(streams.entries());
    this.copies = copies;
  }

  /** In the child: makes them its standard streams, and closes everything else that was opened. */
  redirect(): void {
    for (const fd of this.parentEnds.values()) close(fd);
    const { fcntl } = descriptorSymbols();
    const moved: number[] = [];
    // One that lies where another is to go would be overwritten: 1 and 2 exchanged, for instance.
    const redirections = this.redirections.map(({ source, target }) => {
      if (source >= FIRST_AFTER_STDERR || source === target) {
        return { source, target };
      }
      const copy = checkValue(
        fcntl(source, F_DUPFD_CLOEXEC, FIRST_AFTER_STDERR),
        "fcntl",
        () => `Cannot duplicate descriptor ${source}`,
      );
      moved.push(copy);
      return { source: copy, target };
    });
    for (const { source, target } of redirections) {
      dup2(source, target);
      const copy = this.copies.get(target);
      if (copy !== undefined) dup3(target, copy, O_CLOEXEC);
    }
    for (const fd of [...moved, ...this.childEnds]) close(fd);
  }
}
