/** Who may import whom in src. `npm run lint` checks it; what a rule says is where to go instead. */

/** The floors, lowest first. A file imports from its own floor and those below. */
const FLOORS = [
  {
    name: "ground",
    path: "^src/(?!app|contract|context|cron|index|wiring|env)[\\w-]+\\.ts$",
    is: "codes, text and settings, which know nothing of ours",
  },
  {
    name: "platform",
    path: "^src/platform/",
    is: "log, metrics and calls to objects: pass in what is needed of above",
  },
  {
    name: "db",
    path: "^src/db/",
    is: "the database, whoever acts: take a CallContext (db/call-context.ts), not a Ctx",
  },
  { name: "context", path: "^src/context\\.ts$", is: "who acts, by whatever way they came in" },
  {
    name: "auth",
    path: "^src/(auth|bytes)/",
    is: "tokens, limits and bytes: a rule of the product belongs into its slice",
  },
  {
    name: "realtime",
    path: "^src/realtime/",
    is: "what every object with sockets does: let a kind of room pass in its own",
  },
  { name: "http", path: "^src/http/", is: "what every route is made of: let the app pass in what is needed of above" },
  {
    name: "parts",
    path: "^src/(socketio|chat|hub)/",
    is: "what features are made of: let them register with it in src/wiring.ts",
  },
  {
    name: "features",
    path: "^src/features/",
    is: "slices: what joins them belongs into src/wiring.ts, app.ts or cron.ts",
  },
];

const ABOVE_ALL = "^src/(app|contract|cron|index|wiring|env\\.d)(\\.ts)?$";

const floors = FLOORS.map(({ name, path, is }, at) => ({
  name: `floor-${name}`,
  severity: "error",
  comment: `Floors import downward only. This one has ${is}.`,
  from: { path },
  to: { path: [...FLOORS.slice(at + 1).map((above) => above.path), ABOVE_ALL] },
}));

export default {
  forbidden: [
    ...floors,
    {
      name: "no-circle",
      severity: "error",
      comment: "Files import in a circle: move what both need into a file below both, or pass it in.",
      from: {},
      to: { circular: true },
    },
    {
      name: "no-circle-of-folders",
      scope: "folder",
      severity: "error",
      comment:
        "Slices or folders import in a circle: the lower one must not know the upper. Let the upper register with it in src/wiring.ts, or move what both need below both.",
      from: {},
      to: { circular: true },
    },
    {
      name: "slice-by-its-service",
      severity: "error",
      comment:
        "One slice reaches another through its service.ts alone, and a contract through the other's contract.ts: export what you need there, or move it to a floor below.",
      from: { path: "^src/features/([^/]+)/", pathNot: "contract\\.ts$" },
      to: { path: "^src/features/", pathNot: ["^src/features/$1/", "^src/features/[^/]+/service\\.ts$"] },
    },
    {
      name: "contract-by-contracts",
      severity: "error",
      comment:
        "A contract is what goes over the wire, for clients too: it imports zod, the frame protocol, shared schemas and other contracts. Move the rest into service.ts.",
      from: { path: "contract\\.ts$" },
      to: { path: "^src/(features|db|auth|platform|hub|context)", pathNot: ["contract\\.ts$", "^src/db/page\\.ts$"] },
    },
    {
      name: "no-dead-file",
      severity: "error",
      comment: "Nothing that the Worker starts from reaches this file: delete it.",
      from: { path: "^src/index\\.ts$" },
      to: { path: "^src/", pathNot: "(\\.d|index)\\.ts$", reachable: false },
    },
    {
      name: "no-development-package",
      severity: "error",
      comment: "The Worker runs with `dependencies` alone: add the package there, or do without.",
      from: { path: "^src/" },
      to: { dependencyTypes: ["npm-dev", "npm-no-pkg", "npm-unknown"] },
    },
  ],
  options: {
    // Types count: who knows another's types knows it.
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.json" },
    doNotFollow: { path: "node_modules" },
  },
};
