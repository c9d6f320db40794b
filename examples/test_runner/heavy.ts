/** A module that takes a while to load, for the test runner. */

/** How often it was loaded in this process or those that it was forked from. */
export const loads = { count: 0 };
loads.count++;

/** Words that are expensive to make. */
export const dictionary: Set<string> = new Set();
for (let n = 0; n < 300_000; n++) dictionary.add(`word ${n.toString(36)}`);
