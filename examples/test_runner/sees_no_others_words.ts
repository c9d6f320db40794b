/** A test file: has its own copy of what all have. */
import { dictionary } from "./heavy.ts";

if (dictionary.has("a new word")) throw new Error("another's word is there");
