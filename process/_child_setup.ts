import {
  PR_SET_NAME,
  PR_SET_PDEATHSIG,
  SIG_DFL,
  SIG_IGN,
  SIG_SETMASK,
} from "../ffi/constants.ts";
import { cString } from "../ffi/_c_strings.ts";
import { SIGACTION, SIGSET } from "../ffi/layouts.ts";
import { checkErrorNumber, checkZero } from "../ffi/_results.ts";
import { processSymbols, signalSymbols } from "../ffi/_symbols.ts";
import { SIGNAL_NUMBERS } from "../ffi/_signals.ts";
import type { ChildStdio } from "./_child_stdio.ts";
import type { ClosedFds } from "./_closed_fds.ts";
import type { ForkPlan } from "./_fork_plan.ts";
import { getpid } from "./getpid.ts";
import { getppid } from "./getppid.ts";
import { kill } from "./kill.ts";
import { setpgid } from "./setpgid.ts";
import { setsid } from "./setsid.ts";

/** In the child: makes it what the options ask for. Whatever the system refuses is thrown. */
export function setUpChild(
  plan: ForkPlan,
  stdio: ChildStdio,
  closed: ClosedFds | undefined,
  parent: number,
): void {
  if (plan.newSession) setsid();
  else if (plan.processGroup !== undefined) setpgid(0, plan.processGroup);
  if (plan.name !== undefined) setName(plan.name);
  if (plan.parentDeathSignal !== undefined) {
    dieWithParent(plan.parentDeathSignal, parent);
  }
  if (plan.resetSignals) resetSignals();
  stdio.redirect();
  closed?.letGo();
}

function setName(name: string): void {
  checkZero(
    processSymbols().prctl_set_name(PR_SET_NAME, cString(name, "name")),
    "prctl",
    () => `Cannot set process name to ${JSON.stringify(name)}`,
  );
}

function dieWithParent(signal: number, parent: number): void {
  checkZero(
    processSymbols().prctl(PR_SET_PDEATHSIG, BigInt(signal)),
    "prctl",
    () => `Cannot ask for signal ${signal} at the parent's end`,
  );
  // It may have ended before the kernel knew of the wish.
  if (getppid() !== parent) kill(getpid(), signal);
}

/** Deno ignores SIGPIPE itself, so that a write that nobody reads is an error and not its end. */
const IGNORED_BY_DENO = SIGNAL_NUMBERS.SIGPIPE;

function resetSignals(): void {
  const libc = signalSymbols();
  const action = new BigUint64Array(SIGACTION.size / 8);
  for (const [name, signal] of Object.entries(SIGNAL_NUMBERS)) {
    if (signal === IGNORED_BY_DENO) continue;
    libc.sigaction(signal, null, action);
    if (action[0] !== BigInt(SIG_IGN)) continue;
    action.fill(BigInt(SIG_DFL));
    checkZero(
      libc.sigaction(signal, action, null),
      "sigaction",
      () => `Cannot give ${name} its default action`,
    );
  }
  checkErrorNumber(
    libc.pthread_sigmask(SIG_SETMASK, new Uint8Array(SIGSET.size), null),
    "pthread_sigmask",
    () => "Cannot set the signal mask",
  );
}
