/**
 * Prints the constants and layouts of the architecture given as argument, whichever machine this is: they are chosen when
 * their modules are loaded, and so the machine is given another name before that.
 */

Object.defineProperty(Deno, "build", {
  value: { ...Deno.build, arch: Deno.args[0] },
});
const constants = {
  ...await import("../../ffi/constants.ts"),
  ...await import("../../ffi/terminal_constants.ts"),
};
const layouts = await import("../../ffi/layouts.ts");
console.log(JSON.stringify({ constants, layouts }));
