/** The language of the example shell: words, pipelines, redirections, lists. */

/** A program with its arguments, and where its input and output go. */
export interface Command {
  words: string[];
  input: string | undefined;
  output: { path: string; append: boolean } | undefined;
}

/** What runs as one job. */
export interface Pipeline {
  commands: Command[];
  background: boolean;
  /** How `jobs` shows it. */
  text: string;
}

/** A word, or one of `|`, `&`, `;`, `<`, `>`, `>>`. */
type Token = { word: string } | { operator: string };

const TOKEN =
  /\s*(?:(>>|[|&;<>])|((?:\\.|'[^']*'|"(?:\\.|[^"\\])*"|[^\s|&;<>\\'"])+)|(.))/gsy;
const PART = /\\(.)|'([^']*)'|"((?:\\.|[^"\\])*)"|([^\\'"]+)/gs;

/** The pipelines of a line, one after the other; an error says what is wrong with it. `$?` is the status given. */
export function parse(line: string, status: number): Pipeline[] {
  const tokens = tokenize(line.replace(/(^|\s)#.*$/, ""), status);
  const pipelines: Pipeline[] = [];
  let words: string[] = [];
  let commands: Command[] = [];
  let command = newCommand();
  const endCommand = (operator: string) => {
    if (command.words.length === 0) unexpected(operator);
    commands.push(command);
    command = newCommand();
  };
  const endPipeline = (operator: string) => {
    endCommand(operator);
    const text = words.join(" ");
    pipelines.push({ commands, background: operator === "&", text });
    commands = [];
    words = [];
  };
  while (tokens.length > 0) {
    const token = tokens.shift()!;
    if ("word" in token) {
      command.words.push(token.word);
      words.push(token.word);
      continue;
    }
    const { operator } = token;
    if (operator === "&" || operator === ";") {
      endPipeline(operator);
      continue;
    }
    words.push(operator);
    if (operator === "|") {
      endCommand(operator);
      continue;
    }
    const target = tokens.shift();
    if (target === undefined || !("word" in target)) unexpected(operator);
    words.push(target.word);
    if (operator === "<") command.input = target.word;
    else command.output = { path: target.word, append: operator === ">>" };
  }
  if (words.length > 0) endPipeline("the end of the line");
  return pipelines;
}

function newCommand(): Command {
  return { words: [], input: undefined, output: undefined };
}

function tokenize(line: string, status: number): Token[] {
  return [...line.trimEnd().matchAll(TOKEN)].map(([, operator, word, odd]) => {
    if (operator !== undefined) return { operator };
    if (word !== undefined) return { word: unquote(word, status) };
    throw new SyntaxError(`no end to ${odd}`);
  });
}

function unquote(word: string, status: number): string {
  const expand = (text: string) => text.replaceAll("$?", String(status));
  return word.replaceAll(
    PART,
    (_, escaped?: string, single?: string, double?: string, plain?: string) =>
      escaped ?? single ??
        (double === undefined
          ? expand(plain!)
          : expand(double.replaceAll(/\\(["\\])/g, "$1"))),
  );
}

function unexpected(what: string): never {
  throw new SyntaxError(`${what} is not expected here`);
}
