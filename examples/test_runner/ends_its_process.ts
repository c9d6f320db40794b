/** A test file that a runner in one process would not survive. */
Deno.exit(3);
