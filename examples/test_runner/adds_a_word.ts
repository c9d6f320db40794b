/** A test file: changes what all have. */
import { dictionary } from "./heavy.ts";

dictionary.add("a new word");
if (dictionary.size !== 300_001) throw new Error("the word is not there");
