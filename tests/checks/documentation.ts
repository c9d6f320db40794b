/**
 * Checks that each public function, class and method has the whole of its documentation, which `deno doc --lint` does not:
 * `@param` for each parameter, `@returns`, `@throws`, an `@example` that imports the public name, `@see`; that each link leads
 * to a public name; and that each function and class has its row in docs/functions.md.
 *
 * Prints what is missing, and then exits with 1. Needs `--allow-read` and `--allow-run`.
 *
 * @module
 */

import { fromFileUrl } from "@std/path";

const root = new URL("../../", import.meta.url);

/** What neither takes a wrong argument nor can fail, and so has no `@throws`. */
const NEVER_FAILS = new Set([
  "errnoName",
  "getpgrp",
  "getpid",
  "getppid",
  "strerror",
]);

// The part of `deno doc --json`, version 2, that matters here.
interface Tag {
  kind: string;
  name?: string;
  doc?: string;
}
interface JsDoc {
  doc?: string;
  tags?: Tag[];
}
interface Parameter {
  kind: string;
  name?: string;
  left?: Parameter;
  arg?: Parameter;
}
interface Signature {
  params?: Parameter[];
  returnType?: { kind: string; value?: unknown } | null;
}
interface Method {
  name: string;
  jsDoc?: JsDoc;
  isStatic?: boolean;
  functionDef: Signature;
  kind: string;
  accessibility?: string;
  location: Location;
}
interface Location {
  filename: string;
  line: number;
}
interface Declaration {
  location: Location;
  jsDoc?: JsDoc;
  kind: string;
  def?: Signature & {
    constructors?:
      (Signature & { jsDoc?: JsDoc; location: Location; name: string })[];
    methods?: Method[];
    properties?: { name: string; isStatic?: boolean }[];
  };
}
interface Documentation {
  version: number;
  nodes: Record<string, {
    module_doc?: JsDoc;
    symbols: { name: string; declarations: Declaration[] }[];
  }>;
}

const missing = new Set<string>();

function report(location: Location, name: string, what: string): void {
  const file = location.filename.replace(root.href, "");
  missing.add(`${file}:${location.line + 1} ${name}: ${what}`);
}

/** The first cells of the tables that compare every function and class with other languages. */
const compared = (await Deno.readTextFile(new URL("docs/functions.md", root)))
  .replaceAll(/(?<=^\| .*?) \| .*/gm, "");

/** Whether a name, as a whole word in code, begins a row there. */
function isCompared(name: string): boolean {
  return new RegExp(`^\\| .*\`${name}\\b`, "m").test(compared);
}

function tagsOf(jsDoc: JsDoc | undefined, kind: string): Tag[] {
  return jsDoc?.tags?.filter((tag) => tag.kind === kind) ?? [];
}

function nameOf(parameter: Parameter): string {
  const inner = parameter.left ?? parameter.arg;
  return inner === undefined ? parameter.name ?? "(pattern)" : nameOf(inner);
}

/** Description, `@example` and `@see`, which functions and classes alike must have. */
function checkWhole(
  location: Location,
  name: string,
  jsDoc: JsDoc | undefined,
): void {
  if (!jsDoc?.doc) report(location, name, "no description");
  checkExamples(location, name, jsDoc);
  if (tagsOf(jsDoc, "see").length === 0) report(location, name, "no @see");
}

function checkExamples(
  location: Location,
  name: string,
  jsDoc: JsDoc | undefined,
): void {
  const examples = tagsOf(jsDoc, "example");
  if (examples.length === 0) report(location, name, "no @example");
  for (const { doc = "" } of examples) {
    const title = doc.split("\n")[0]!;
    if (title === "" || title.startsWith("```")) {
      report(location, name, "an @example without a title");
    }
    if (!/```ts\n[^]*from "@posix\/process[^]*\n```/.test(doc)) {
      report(
        location,
        name,
        `@example "${title}" imports nothing from @posix/process`,
      );
    }
    if (!/\bassert/.test(doc)) {
      report(location, name, `@example "${title}" asserts nothing`);
    }
  }
}

/** `@param` and `@returns`: what the signature itself asks for. */
function checkSignature(
  location: Location,
  name: string,
  jsDoc: JsDoc | undefined,
  { params = [], returnType }: Signature,
): void {
  const names = params.map(nameOf);
  const described = tagsOf(jsDoc, "param");
  for (const parameter of names) {
    if (!described.some((tag) => tag.name === parameter && tag.doc)) {
      report(location, name, `no @param ${parameter}`);
    }
  }
  for (const { name: parameter = "" } of described) {
    if (!names.includes(parameter.split(".")[0]!)) {
      report(
        location,
        name,
        `@param ${parameter} describes what is no parameter`,
      );
    }
  }
  const returnsNothing = !returnType || returnType.kind === "keyword" &&
      (returnType.value === "void" || returnType.value === "never");
  const returnsDescribed = tagsOf(jsDoc, "return").some((tag) => tag.doc);
  if (!returnsNothing && !returnsDescribed) {
    report(location, name, "no @returns");
  }
  if (returnsNothing && returnsDescribed) {
    report(location, name, "@returns where nothing is returned");
  }
}

function checkThrows(
  location: Location,
  name: string,
  jsDoc: JsDoc | undefined,
): void {
  const described = tagsOf(jsDoc, "throws").length > 0;
  if (NEVER_FAILS.has(name) && described) {
    report(location, name, "@throws, but is listed as what never fails");
  } else if (!NEVER_FAILS.has(name) && !described) {
    report(location, name, "no @throws");
  }
}

function checkDeclaration(name: string, declaration: Declaration): void {
  const { kind, location, jsDoc, def } = declaration;
  if ((kind === "function" || kind === "class") && !isCompared(name)) {
    report(location, name, "no row in docs/functions.md");
  }
  if (kind === "function") {
    checkWhole(location, name, jsDoc);
    checkSignature(location, name, jsDoc, def ?? {});
    checkThrows(location, name, jsDoc);
  } else if (kind === "class") {
    checkWhole(location, name, jsDoc);
    for (const constructor of def?.constructors ?? []) {
      const { location, jsDoc, params = [] } = constructor;
      checkSignature(location, `new ${name}`, jsDoc, { params });
    }
    for (const method of def?.methods ?? []) checkMethod(name, method);
  }
}

function checkMethod(owner: string, method: Method): void {
  const { kind, jsDoc, location, functionDef } = method;
  const name = `${owner}.${method.name}`;
  if (method.accessibility === "private") return;
  if (!jsDoc?.doc) report(location, name, "no description");
  // A getter reads like a field, and what a symbol names is called by the language: their class shows them at work.
  if (kind !== "method" || method.name.startsWith("[")) return;
  checkExamples(location, name, jsDoc);
  checkSignature(location, name, jsDoc, functionDef);
  checkThrows(location, name, jsDoc);
}

/** The names under which links find a declaration and what it has: what belongs to an instance is its prototype's. */
function* linkNames(name: string, { kind, def }: Declaration) {
  yield name;
  for (const member of [...def?.methods ?? [], ...def?.properties ?? []]) {
    const owner = kind === "class" && !member.isStatic
      ? `${name}.prototype`
      : name;
    yield `${owner}.${member.name}`;
  }
}

const { exports } = JSON.parse(
  await Deno.readTextFile(new URL("deno.json", root)),
) as { exports: Record<string, string> };
const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
  args: ["doc", "--json", ...Object.values(exports)],
  cwd: fromFileUrl(root),
  env: { NO_COLOR: "1" },
}).output();
const decoder = new TextDecoder();
if (!success) throw new Error(decoder.decode(stderr));
const links = new Set<string>();
const documentation = JSON.parse(decoder.decode(stdout), (key, value) => {
  if (key === "doc" && typeof value === "string") {
    // Neither addresses nor, in brackets, modules.
    const found = value.matchAll(/\{@link(?:code|plain)?\s+(\w[^\s|}]*)/g);
    for (const [, link] of found) if (!link!.includes("/")) links.add(link!);
  }
  return value;
}) as Documentation;
if (documentation.version !== 2) {
  throw new Error(
    `Cannot read version ${documentation.version} of 'deno doc --json'`,
  );
}

const seen = new Set<string>();
const linkable = new Set<string>();
for (const [filename, node] of Object.entries(documentation.nodes)) {
  const start = { filename, line: 0 };
  if (!node.module_doc?.doc) report(start, "module", "no @module description");
  else checkExamples(start, "module", node.module_doc);
  for (const { name, declarations } of node.symbols) {
    seen.add(name);
    for (const declaration of declarations) {
      checkDeclaration(name, declaration);
      for (const link of linkNames(name, declaration)) linkable.add(link);
    }
  }
}
for (const link of links.difference(linkable)) {
  missing.add(`${link}: a link leads there, but it is no public name`);
}
for (const name of NEVER_FAILS) {
  if (!seen.has(name)) missing.add(`${name}: not there, but listed`);
}

for (const line of missing) console.log(line);
if (missing.size > 0) Deno.exit(1);
console.log(`${seen.size} public names are documented in full`);
