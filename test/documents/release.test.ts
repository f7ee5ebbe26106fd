/** A release: its environments are whole, and its migrations let the version before go on. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { unstable_readConfig } from "wrangler";
import { z } from "zod";
import { incompatibilities } from "../../scripts/schema-compatibility.ts";

const root = join(import.meta.dirname, "../..");
const released = readFileSync(join(root, "src/db/released.sql"), "utf8");
const folder = join(root, "migrations");
const migrations = readdirSync(folder)
  .sort()
  .map((file) => readFileSync(join(folder, file), "utf8"))
  .join("\n");

describe("migrations", () => {
  it("let the version that was released last go on: all it reads and writes is there still", () => {
    expect(released).toMatch(/CREATE TABLE users/);
    expect(incompatibilities(released, migrations)).toEqual([]);
  });

  const OLD = `
    CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT NOT NULL, age INTEGER, note TEXT);
    CREATE UNIQUE INDEX people_name ON people (name COLLATE NOCASE) WHERE age > 3;
    CREATE TABLE pairs (low INTEGER, high INTEGER, PRIMARY KEY (low, high)) WITHOUT ROWID;
    CREATE VIEW names AS SELECT name FROM people;
    CREATE VIRTUAL TABLE search USING fts5 (name, content = 'people', content_rowid = 'id');`;
  const broken = (change: string) => incompatibilities(OLD, `${OLD}\n${change};`).join("\n");

  it.each([
    ["nothing", ""],
    ["a new table", "CREATE TABLE more (id INTEGER PRIMARY KEY, what TEXT NOT NULL)"],
    ["a column that may stay empty", "ALTER TABLE people ADD COLUMN town TEXT"],
    ["a column with a default", "ALTER TABLE people ADD COLUMN town TEXT NOT NULL DEFAULT ''"],
    ["an index", "CREATE INDEX people_age ON people (age)"],
    [
      "a unique index of a new column",
      "ALTER TABLE people ADD COLUMN code TEXT; CREATE UNIQUE INDEX people_code ON people (code)",
    ],
    ["a trigger", "CREATE TRIGGER aged AFTER UPDATE OF age ON people BEGIN DELETE FROM pairs WHERE low = NEW.id; END"],
    ["the end of what was retired", "-- retired: pairs\nDROP TABLE pairs"],
    ["the end of a column that was retired", "-- retired: people.note\nALTER TABLE people DROP COLUMN note"],
  ])("may bring %s", (_, change) => {
    expect(broken(change)).toBe("");
  });

  it.each([
    ["drop a table", "DROP TABLE pairs", /no such table: pairs/],
    ["drop a column", "ALTER TABLE people DROP COLUMN note", /no column named note/],
    ["rename a column", "ALTER TABLE people RENAME COLUMN name TO title", /no column named name/],
    ["drop a view", "DROP VIEW names", /no such table: names/],
    ["drop a search index", "DROP TABLE search", /no such table: search/],
    ["drop what ON CONFLICT names", "DROP INDEX people_name", /ON CONFLICT clause does not match/],
    [
      "ask for a column that is not written",
      `DROP VIEW names; DROP TABLE people;
       CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT NOT NULL, age INTEGER, note TEXT, town TEXT NOT NULL);
       CREATE UNIQUE INDEX people_name ON people (name COLLATE NOCASE) WHERE age > 3;
       CREATE VIEW names AS SELECT name FROM people`,
      /people\.town must be written/,
    ],
    ["make unique what was not", "CREATE UNIQUE INDEX people_age ON people (age)", /people_age makes unique/],
    [
      "refuse what was taken",
      "CREATE TRIGGER grown BEFORE INSERT ON people WHEN NEW.age < 18 BEGIN SELECT RAISE(ABORT, 'too young'); END",
      /grown refuses writes to people/,
    ],
    [
      "break a write by its trigger",
      "CREATE TRIGGER bad AFTER INSERT ON people BEGIN INSERT INTO gone (id) VALUES (NEW.id); END",
      /no such table: main\.gone/,
    ],
  ])("may not %s", (_, change, told) => {
    expect(broken(change)).toMatch(told);
  });
});

/** All that wrangler knows to bind and to set: whatever is added to wrangler.toml is compared, too. */
const Environment = z.looseObject({
  name: z.string(),
  targetEnvironment: z.string().optional(),
  vars: z.record(z.string(), z.string()),
  d1_databases: z.array(z.object({ binding: z.string(), database_name: z.string(), migrations_dir: z.string() })),
  r2_buckets: z.array(z.object({ binding: z.string(), bucket_name: z.string() })),
});

describe("wrangler.toml", () => {
  const config = (env?: string) =>
    Environment.parse(unstable_readConfig({ config: join(root, "wrangler.toml"), env }, { hideWarnings: true }));
  /** Names of one's own left out. */
  const bound = ({ name: _name, targetEnvironment: _target, vars: _vars, ...there }: z.infer<typeof Environment>) => ({
    ...there,
    d1_databases: there.d1_databases.map(({ database_name: _database, ...rest }) => rest),
    r2_buckets: there.r2_buckets.map(({ binding }) => binding),
  });

  it.each(["staging", "production"])("%s has all that the Worker has", (env) => {
    const there = config(env);
    expect(bound(there)).toEqual(bound(config()));
    expect(Object.keys(there)).toEqual(
      expect.arrayContaining(["durable_objects", "triggers", "kv_namespaces", "queues"]),
    );
    // What is held to less would be a development server in front of everybody.
    expect(there.vars).toEqual({ ENVIRONMENT: "production" });
  });

  it("environments share no Worker, no database and no bucket", () => {
    const names = ["staging", "production"].map((env) => {
      const { name, d1_databases, r2_buckets } = config(env);
      return [name, ...d1_databases.map((one) => one.database_name), ...r2_buckets.map((one) => one.bucket_name)];
    });
    expect(names).toEqual([
      ["roomcast-staging", "roomcast-staging", "roomcast-staging-files"],
      ["roomcast", "roomcast", "roomcast-files"],
    ]);
  });
});
