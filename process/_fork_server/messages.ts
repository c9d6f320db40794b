import type { WaitUsageResult } from "../../wait/types.ts";
import type { ForkOptions } from "../fork_options.ts";
import type { PortableError } from "../_portable_error.ts";

/** What the server is asked for. */
export interface Request {
  readonly id: number;
  readonly argument: unknown;
  /** Without the standard streams: those come through the socket. */
  readonly options: ForkOptions;
  /** Which standard streams come through the socket, in that order. */
  readonly targets: readonly number[];
}

/** What the server tells of a child. */
export type Notice = StartNotice | RefusalNotice | EndNotice;

/** It runs. */
interface StartNotice {
  readonly kind: "started";
  readonly id: number;
  readonly pid: number;
  /** Whether its pidfd comes through the socket: not if it has ended and was reaped already. */
  readonly hasPidfd: boolean;
}

/** There is none. */
interface RefusalNotice {
  readonly kind: "refused";
  readonly id: number;
  readonly error: PortableError;
}

/** It has ended. */
interface EndNotice {
  readonly kind: "ended";
  readonly id: number;
  readonly result: WaitUsageResult;
}
