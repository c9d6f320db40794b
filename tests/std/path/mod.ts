/**
 * The part of `@std/path` that the tests and examples use, over `node:path/posix`, for machines that cannot reach JSR.
 *
 * @module
 */

import { fileURLToPath } from "node:url";

export { basename, dirname, join, resolve } from "node:path/posix";

/** The path of a `file:` URL. */
export function fromFileUrl(url: string | URL): string {
  return fileURLToPath(url);
}
