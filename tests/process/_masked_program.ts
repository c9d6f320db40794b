/** Becomes itself with two signals blocked, one of them waiting, and tells what the library makes of that. */
import { execSymbols, signalSymbols } from "../../ffi/_symbols.ts";
import { cString, cStringArray } from "../../ffi/_arguments.ts";
import { signalSet } from "../../ffi/_signals.ts";
import { SIG_BLOCK } from "../../ffi/constants.ts";
import { sigpending, sigprocmask, sigwait } from "../../process/signal_mask.ts";

const SIGUSR2 = 12;
const SIGRTMIN = 34;

if (Deno.args[0] !== "masked") {
  const { pthread_self, pthread_sigqueue } = Deno.dlopen("libc.so.6", {
    pthread_self: { parameters: [], result: "usize" },
    pthread_sigqueue: { parameters: ["usize", "i32", "u64"], result: "i32" },
  }).symbols;
  const set = signalSet([SIGUSR2, SIGRTMIN]);
  signalSymbols().pthread_sigmask(SIG_BLOCK, set, null);
  pthread_sigqueue(pthread_self(), SIGUSR2, 5n);
  // Not the library's own exec, which empties the mask.
  const argv = [
    ...["deno", "run", "--quiet", "--no-check", "--allow-ffi"],
    ...[new URL(import.meta.url).pathname, "masked"],
  ];
  execSymbols().execv(
    cString("/proc/self/exe", "path"),
    cStringArray(argv, "argv"),
  );
}

const mask = sigprocmask("SIG_BLOCK", []);
console.log(`blocked: ${mask.join(" ")}`);
console.log(`waiting: ${sigpending().join(" ")}`);
const info = sigwait(["SIGUSR2"], { timeout: 1000 });
console.log(`taken: ${info?.signal} ${info?.value}`);
console.log(`blocked: ${sigprocmask("SIG_BLOCK", []).join(" ")}`);
