/** As much of a shell as the commands of the docs need: words, quotes, variables, and where one command ends. */

/** One command's words, unquoted. `line`: of its first word, from 1. `comment`: what stands behind it, after `#`. */
export type Command = { line: number; words: string[]; comment: string };

/** The operators that end a command; a parenthesis or brace begins another. */
const ENDS = /^(?:&&|\|\||\$\(|[;|&(){}])/;

/** Where nothing is called, what a variable holds does not matter. */
export const anything = new Proxy<Record<string, string>>({}, { get: () => "x" });

type State = { commands: Command[]; words: string[]; word: string | undefined; line: number; begun: number };

/** Reads a block. `variables` stand for `$NAME`, `${NAME}` and `$1`. @throws Error a variable that has no value, an open quote */
export function commandsIn(code: string, variables: Record<string, string>): Command[] {
  const state: State = { commands: [], words: [], word: undefined, line: 1, begun: 1 };
  let rest = code;
  const take = (length: number): string => {
    const taken = rest.slice(0, length);
    rest = rest.slice(length);
    state.line += taken.split("\n").length - 1;
    return taken;
  };
  const add = (text: string): void => {
    if (state.words.length === 0 && state.word === undefined) state.begun = state.line;
    state.word = (state.word ?? "") + text;
  };
  while (rest !== "") {
    const [variable = "", name = ""] = /^\$\{?(\w+)\}?/.exec(rest) ?? [];
    const [operator = ""] = ENDS.exec(rest) ?? [];
    if (rest.startsWith("\\\n")) take(2);
    else if (rest.startsWith("\\")) add(take(2).slice(1));
    else if (rest.startsWith("'")) add(take(endOf(rest, "'")).slice(1, -1));
    else if (rest.startsWith('"')) add(inQuotes(take(endOf(rest, '"')).slice(1, -1), variables));
    else if (rest.startsWith("#") && state.word === undefined) endCommand(state, take(endOfLine(rest)).slice(1).trim());
    else if (rest.startsWith("\n")) {
      endCommand(state);
      take(1);
    } else if (variable) {
      add(valueNamed(name, variables));
      take(variable.length);
    } else if (operator) {
      endCommand(state);
      take(operator.length);
    } else if (/^\s/.test(rest)) {
      endWord(state);
      take(1);
    } else add(take(/^<[\w ]+>/.exec(rest)?.[0].length ?? 1));
  }
  endCommand(state);
  return state.commands.filter(({ words }) => words.length > 0);
}

/** A block's statements as they stand there, each with all its lines: what a prompt would take at once. `line`: its first, from 1. */
export function statementsIn(code: string): { line: number; text: string }[] {
  const lines = code.split("\n");
  const begins = [...new Set(commandsIn(code, anything).map(({ line }) => line))].filter(
    (line) => !lines[line - 2]?.endsWith("\\"),
  );
  return begins.map((line, at) => ({
    line,
    text: lines.slice(line - 1, (begins[at + 1] ?? lines.length + 1) - 1).join("\n"),
  }));
}

function endWord(state: State): void {
  if (state.word !== undefined) state.words.push(state.word);
  state.word = undefined;
}

function endCommand(state: State, comment = ""): void {
  endWord(state);
  if (state.words.length > 0) state.commands.push({ line: state.begun, words: state.words, comment });
  state.words = [];
}

const endOfLine = (text: string): number => (text.indexOf("\n") < 0 ? text.length : text.indexOf("\n"));

/** How long the quoted text is, with its quotes. */
function endOf(text: string, quote: string): number {
  for (let at = 1; at < text.length; at += 1) {
    if (quote === '"' && text[at] === "\\") at += 1;
    else if (text[at] === quote) return at + 1;
  }
  throw new Error(`a quote ${quote} that does not end`);
}

const inQuotes = (text: string, variables: Record<string, string>): string =>
  text.replace(/\\([\\"$`\n])|\$\{?(\w+)\}?/g, (_, escaped: string | undefined, name: string | undefined) =>
    name === undefined ? (escaped ?? "").trim() : valueNamed(name, variables),
  );

function valueNamed(name: string, variables: Record<string, string>): string {
  const value = variables[name];
  if (value === undefined) throw new Error(`$${name} has no value: give it one in the fixture of the test`);
  return value;
}
