/** Whether what a page says may be typed can be typed: scripts of npm and their options are there, programs are installed. */
import { z } from "zod";
import manifest from "../../package.json?raw";
import { type Command, commandsIn } from "./shell.ts";

const SOURCES = import.meta.glob<string>(["/scripts/*.ts", "/test/chaos/*.ts", "/test/e2e/*.ts", "/bench/*.ts"], {
  query: "?raw",
  import: "default",
  eager: true,
});

const { scripts, dependencies, devDependencies } = z
  .object({
    scripts: z.record(z.string(), z.string()),
    dependencies: z.record(z.string(), z.string()),
    devDependencies: z.record(z.string(), z.string()),
  })
  .parse(JSON.parse(manifest));

const OWN_COMMANDS = ["ci", "install", "pack", "start", "test"];
/** What `npm start` hands on to `wrangler dev`. */
const WRANGLER_DEV = ["port", "ip", "var", "persist-to"];
/** Other people's programs, and the shell's own. */
const OTHERS = ["cd", "wait", "promtool"];

/** Where nothing is called, what a variable holds does not matter. */
const anything = new Proxy<Record<string, string>>({}, { get: () => "x" });

/** Without the variables that are set for it, or by it. */
export const programOf = ({ words }: Command): string[] => {
  const at = words.findIndex((word) => !/^\w+=/.test(word));
  return at < 0 ? [] : words.slice(at);
};

/** What cannot be typed of some code, and in which of its lines, from 1. */
export function wrongIn(code: string): { line: number; why: string }[] {
  const functions = [...code.matchAll(/(\w+)\(\) *\{/g)].flatMap(([, name = ""]) => name);
  return commandsIn(code, anything).flatMap((command) => {
    const why = wrongWith(programOf(command), functions);
    return why ? [{ line: command.line, why }] : [];
  });
}

function wrongWith([program, ...args]: string[], functions: string[]): string | undefined {
  if (program === undefined) return undefined;
  if (program === "npm") return wrongWithNpm(args);
  if (program === "npx") {
    const name = args.find((arg) => !arg.startsWith("-")) ?? "";
    return name in dependencies || name in devDependencies ? undefined : `${name} is not installed`;
  }
  return [...OTHERS, ...functions, "curl"].includes(program)
    ? undefined
    : `${program} is no program that is known here`;
}

function wrongWithNpm(args: string[]): string | undefined {
  const [script = ""] = args[0] === "run" ? args.slice(1) : args;
  const isThere = args[0] === "run" ? script in scripts : OWN_COMMANDS.includes(script);
  if (!isThere) return `there is no script ${script}`;
  const options = args.includes("--") ? args.slice(args.indexOf("--") + 1) : [];
  const unknown = options
    .flatMap((option) => /^--([\w-]+)/.exec(option)?.[1] ?? [])
    .find((name) => !knowsOption(script, name));
  return unknown && `${script} does not know --${unknown}`;
}

/** Whether a file in the folder of the script's program speaks of the option. */
function knowsOption(script: string, option: string): boolean {
  if (script === "start" && WRANGLER_DEV.includes(option)) return true;
  const [, program = ""] = /node (?:--test )?(\S+)/.exec(scripts[script] ?? "") ?? [];
  const folder = `/${program.slice(0, program.lastIndexOf("/") + 1)}`;
  return Object.entries(SOURCES).some(
    ([path, text]) => path.startsWith(folder) && (text.includes(`"${option}"`) || text.includes(`--${option}`)),
  );
}
