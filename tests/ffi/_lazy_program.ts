/** Counts the libraries that importing the whole library opens, and then those that two calls open. */

let opened = 0;
const { dlopen } = Deno;
Deno.dlopen = (...parameters) => {
  opened++;
  return dlopen(...parameters);
};
const { process } = await import("../../mod.ts");
const atImport = opened;
process.getpid();
const atFirstCall = opened - atImport;
process.getpid();
const atSecondCall = opened - atImport - atFirstCall;
console.log(JSON.stringify({ atImport, atFirstCall, atSecondCall }));
