// Prints how many libraries importing this one opens.
let opened = 0;
const { dlopen } = Deno;
Deno.dlopen = (...parameters) => {
  opened++;
  return dlopen(...parameters);
};
await import("../mod.ts");
console.log(opened);
