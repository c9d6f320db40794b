/**
 * Counts the libraries that importing the whole library opens, and then those that calls open; and says which call is refused once
 * the permission is revoked, and what is left of a pipe that was open by then.
 */

let opened = 0;
const { dlopen } = Deno;
Deno.dlopen = (...parameters) => {
  opened++;
  return dlopen(...parameters);
};

/** How many libraries something opens. */
function openedBy(body: () => unknown): number {
  const before = opened;
  body();
  return opened - before;
}

const { ipc, process } = await import("../../mod.ts");
const atImport = opened;
const atFirstCall = openedBy(() => process.getpid());
const atSecondCall = openedBy(() => process.getpid());
const atAnother = openedBy(() => process.getppid());
const fds = ipc.pipe();
Deno.permissions.revokeSync({ name: "ffi" });
let refused = "nothing";
try {
  ipc.isatty(fds[0]);
} catch (error) {
  refused = (error as Error).name;
}
for (const fd of fds) ipc.close(fd);
console.log(JSON.stringify({
  atImport,
  atFirstCall,
  atSecondCall,
  atAnother,
  refused,
}));
