/**
 * Checks that a worker can start programs, where it cannot fork: with all that a program can be given.
 *
 * @module
 */

/** Starts one in a worker; gives what is wrong with what it says of itself. */
export async function workerSpawns(): Promise<string | undefined> {
  const url = new URL("spawn_in_worker_program.ts", import.meta.url);
  const worker = new Worker(url, { type: "module" });
  try {
    const said = await new Promise((resolve, reject) => {
      worker.onmessage = ({ data }) => resolve(data);
      worker.onerror = ({ message }) => reject(new Error(message));
    });
    return said === "0027\n100\n/usr\n" ? undefined : `It said: ${said}`;
  } finally {
    worker.terminate();
  }
}
