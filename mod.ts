export * as exec from "./exec/mod.ts";
export * as ipc from "./ipc/mod.ts";
export * as process from "./process/mod.ts";
export * as wait from "./wait/mod.ts";
export { PosixError } from "./ffi/posix_error.ts";
