/** A test file that fails. */
import { dictionary } from "./heavy.ts";

if (!dictionary.has("word zzzz")) throw new Error("there is no word zzzz");
