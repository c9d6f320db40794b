/** Imports the library on what looks like another system, and prints how each of some calls fails there. */

Object.defineProperty(Deno, "build", {
  value: {
    ...Deno.build,
    os: "darwin",
    arch: "aarch64",
    target: "aarch64-apple-darwin",
  },
});
const { exec, ipc, PosixError, process, wait } = await import("../../mod.ts");
const calls = [
  () => process.getpid(),
  () => process.fork(),
  () => process._exit(1),
  () => process.kill(1, "SIGTERM"),
  () => wait.wait(),
  () => wait.waitpid(-1, wait.WNOHANG),
  () => exec.execvp("ls", ["ls"]),
  () => ipc.pipe(),
  () => ipc.open("/tmp", ipc.O_RDONLY),
  () => ipc.isatty(0),
];
const failures = calls.map((call) => {
  try {
    return { returned: call() };
  } catch (error) {
    if (!(error instanceof PosixError)) return { thrown: String(error) };
    const { code, syscall, message } = error;
    return { code, syscall, message };
  }
});
console.log(JSON.stringify(failures));
