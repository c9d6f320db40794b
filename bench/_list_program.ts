// Prints how many milliseconds the first list of processes takes in a new program, the opening of libc included.
import { listProcesses } from "../process/list_processes.ts";

const started = performance.now();
listProcesses();
console.log(performance.now() - started);
