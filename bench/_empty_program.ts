// Nothing: what remains is what Deno costs.
export {};
