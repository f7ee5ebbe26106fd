/** Whether what a page says may be typed can be typed: scripts of npm and their options are there, programs are installed. */
import { z } from "zod";
import { anything, type Command, commandsIn } from "./shell.ts";

const SOURCES = import.meta.glob<string>(["/scripts/*.ts", "/test/chaos/*.ts", "/test/e2e/*.ts", "/bench/*.ts"], {
  query: "?raw",
  import: "default",
  eager: true,
});

const Manifest = z.object({
  scripts: z.record(z.string(), z.string()).default({}),
  dependencies: z.record(z.string(), z.string()).default({}),
  devDependencies: z.record(z.string(), z.string()).default({}),
});
const MANIFESTS = [
  ...Object.entries(
    import.meta.glob<string>(["/package.json", "/packages/*/package.json", "/examples/*/package.json"], {
      query: "?raw",
      import: "default",
      eager: true,
    }),
  ).map(([path, text]) => ({ folder: path.slice(1, path.lastIndexOf("/")), ...Manifest.parse(JSON.parse(text)) })),
  // `npm run bundle` makes it.
  { folder: "dist/self-host", ...Manifest.parse({}) },
];

const INSTALLED = MANIFESTS.flatMap(({ dependencies, devDependencies }) => [
  ...Object.keys(dependencies),
  ...Object.keys(devDependencies),
]);

const OWN_COMMANDS = ["ci", "install", "pack", "start", "test"];
/** What `npm start` hands on to `wrangler dev`. */
const WRANGLER_DEV = ["port", "ip", "var", "persist-to"];
/** Other people's programs, and the shell's own. */
const OTHERS = ["cd", "wait", "export", "echo", "umask", "promtool", "curl"];
/** What pages about a machine of one's own need beside. */
const SYSTEM = ["cp", "mv", "rm", "sed", "tee", "install", "date", "git", "docker", "systemctl", "caddy", "python3"];
/** Where the bundle lies on a machine of one's own. */
const SELF_HOST = "/opt/roomcast/";

/** Without the variables that are set for it, or by it. */
export const programOf = ({ words }: Pick<Command, "words">): string[] => {
  const at = words.findIndex((word) => !/^\w+=/.test(word));
  return at < 0 ? [] : words.slice(at);
};

/** What cannot be typed of some code, and in which of its lines, from 1. It begins at the root of the repository. */
export function wrongIn(code: string): { line: number; why: string }[] {
  const functions = [...code.matchAll(/(\w+)\(\) *\{/g)].flatMap(([, name = ""]) => name);
  let folder = "";
  return commandsIn(code, anything).flatMap((command) => {
    const words = programOf(command);
    if (words[0] === "cd") folder = words[1] ?? "";
    const why = functions.includes(words[0] ?? "") ? undefined : wrongWith(words, folder);
    return why ? [{ line: command.line, why }] : [];
  });
}

function wrongWith([program, ...args]: string[], folder: string): string | undefined {
  if (program === undefined) return undefined;
  if (program === "sudo") return wrongWith(programOf({ words: args }), folder);
  if (program === "npm") return wrongWithNpm(args, folder);
  if (program === "npx") {
    const name = args.find((arg) => !arg.startsWith("-")) ?? "";
    // What is no dependency is fetched, in the version that is named.
    return INSTALLED.includes(name) || /.@\d/.test(name) ? undefined : `${name} is not installed`;
  }
  const isKnown = [...OTHERS, ...SYSTEM].includes(program) || program.startsWith(SELF_HOST);
  return isKnown ? undefined : `${program} is no program that is known here`;
}

function wrongWithNpm(args: string[], folder: string): string | undefined {
  const end = args.includes("--") ? args.indexOf("--") : args.length;
  const [own, options] = [args.slice(0, end), args.slice(end + 1)];
  const workspace = own.includes("-w") ? own[own.indexOf("-w") + 1] : folder;
  const [command = "", ...rest] = own.filter((word) => !word.startsWith("-"));
  const script = command === "run" ? (rest[0] ?? "") : command;
  const scripts = MANIFESTS.find((one) => one.folder === workspace)?.scripts;
  if (!scripts) return `there is no package in ${workspace}`;
  if (command === "run" ? !(script in scripts) : !OWN_COMMANDS.includes(script)) return `there is no script ${script}`;
  const unknown = options
    .flatMap((option) => /^--([\w-]+)/.exec(option)?.[1] ?? [])
    .find((name) => !knowsOption(script, scripts[script], name));
  return unknown && `${script} does not know --${unknown}`;
}

/** Whether a file in the folder of the script's program speaks of the option. */
function knowsOption(script: string, code: string | undefined, option: string): boolean {
  if (script === "start" && WRANGLER_DEV.includes(option)) return true;
  const [, program = ""] = /node (?:--test )?(\S+)/.exec(code ?? "") ?? [];
  const folder = `/${program.slice(0, program.lastIndexOf("/") + 1)}`;
  return Object.entries(SOURCES).some(
    ([path, text]) => path.startsWith(folder) && (text.includes(`"${option}"`) || text.includes(`--${option}`)),
  );
}
