/** Looks for words in everything that is stored anywhere: D1, R2's metadata, and every object's own SQLite. */
import { listDurableObjectIds, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { sendersOf } from "../../src/features/webhooks/endpoint.ts";
import { run } from "./admin.ts";

type Rows = Iterable<Record<string, unknown>>;

const TABLES = `SELECT name FROM sqlite_master WHERE type = 'table' AND sql NOT LIKE 'CREATE VIRTUAL%'
  AND name NOT LIKE 'sqlite%' AND name NOT LIKE '_cf%'`;

const textOf = (value: unknown): string => {
  if (value instanceof ArrayBuffer) return new TextDecoder("latin1").decode(value);
  if (Array.isArray(value)) return new TextDecoder("latin1").decode(Uint8Array.from(value));
  return typeof value === "object" ? JSON.stringify(value) : String(value);
};

/** Notes in `found` each row in which one of the words stands. */
const lookFor =
  (words: string[], found: string[]) =>
  (place: string, rows: Rows): void => {
    for (const row of rows) {
      const text = Object.values(row).map(textOf).join("\n");
      if (words.some((word) => text.includes(word))) found.push(`${place}: ${JSON.stringify(row)}`);
    }
  };

/** The same as `whereStands`, in the objects of one kind alone. */
export async function whereStandsIn(namespace: DurableObjectNamespace, words: string[]): Promise<string[]> {
  const found: string[] = [];
  await lookIntoKind("object", namespace, lookFor(words, found));
  return found;
}

/** One line for each place in which one of the words stands: where, and what. */
export async function whereStands(words: string[]): Promise<string[]> {
  const found: string[] = [];
  const look = lookFor(words, found);
  for (const { name } of await run<{ name: string }>(TABLES)) look(`D1 ${name}`, await run(`SELECT * FROM "${name}"`));
  const { objects } = await env.FILES.list({ include: ["customMetadata", "httpMetadata"] });
  look(
    "R2",
    objects.map(({ key, customMetadata, httpMetadata }) => ({ key, customMetadata, httpMetadata })),
  );
  await lookIntoObjects(look);
  return found;
}

/** Every kind of object there is: one that is new is looked into as well. */
const isNamespace = (binding: unknown): binding is DurableObjectNamespace =>
  typeof binding === "object" && binding !== null && binding.constructor.name === "DurableObjectNamespace";

async function lookIntoObjects(look: (place: string, rows: Rows) => void): Promise<void> {
  for (const [kind, namespace] of Object.entries(env)) {
    if (isNamespace(namespace)) await lookIntoKind(kind, namespace, look);
  }
}

/** As many gateways as a region has; tests are in one region. */
const GATEWAYS = Array.from({ length: 4 }, (_, shard) => `gw:weur-${shard}`);

/**
 * The objects of a kind that are stored. Gateways and senders are called by their names: one that is woken by its id does not
 * know its name, and gives out sids and targets without it for as long as it is awake.
 */
export async function stubsOf<T extends Rpc.DurableObjectBranded | undefined>(namespace: DurableObjectNamespace<T>) {
  const endpoints = await run<{ id: number; bornAt: number }>("SELECT id, created_at AS bornAt FROM webhooks");
  const names = [...GATEWAYS, ...endpoints.flatMap(sendersOf)];
  const nameOf = new Map(names.map((name) => [namespace.idFromName(name).toString(), name]));
  return (await listDurableObjectIds(namespace)).map((id) => {
    const name = nameOf.get(id.toString());
    return name === undefined ? namespace.get(id) : namespace.getByName(name);
  });
}

async function lookIntoKind(
  kind: string,
  namespace: DurableObjectNamespace,
  look: (place: string, rows: Rows) => void,
): Promise<void> {
  for (const stub of await stubsOf<undefined>(namespace)) {
    await runInDurableObject(stub, async (_, { storage }) => {
      for (const { name } of storage.sql.exec<{ name: string }>(TABLES).toArray()) {
        look(`${kind} ${name}`, storage.sql.exec(`SELECT * FROM "${name}"`).toArray());
      }
      look(
        `${kind} storage`,
        [...(await storage.list())].map(([key, value]) => ({ key, value })),
      );
    });
  }
}
