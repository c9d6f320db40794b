import { readText } from "../_helpers.ts";

/** Who a process is, as the kernel says in `/proc`. */
export function stat(process: number | "self" = "self"): {
  pid: number;
  ppid: number;
  pgrp: number;
  session: number;
} {
  const text = readText(`/proc/${process}/stat`);
  // The name in parentheses may have anything in it, so that the fields are counted from its end.
  const [ppid, pgrp, session] = text.slice(text.lastIndexOf(")") + 4)
    .split(" ").map(Number);
  return {
    pid: parseInt(text),
    ppid: ppid!,
    pgrp: pgrp!,
    session: session!,
  };
}
