/**
 * What the rest of the library stands on, for those who bind further calls of their own: the error that every call throws,
 * the error numbers, the constants of C's headers and the layouts of its structs.
 *
 * @example Naming an error number that another binding returned
 * ```ts
 * import { errnoName, strerror } from "@posix/process/ffi";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(`${errnoName(13)}: ${strerror(13)}`, "EACCES: Permission denied");
 * ```
 *
 * @module
 */

export * from "./constants.ts";
export * from "./errors.ts";
export * from "./layouts.ts";
export * from "./terminal_constants.ts";
