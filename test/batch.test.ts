/** Batches by name, as services make them: `ctx.db.batch`. */
import { env } from "cloudflare:workers";
import { and, eq, gt, sql } from "drizzle-orm";
import { expect, it } from "vitest";
import { startContext } from "../src/context.ts";
import { after, one } from "../src/db/batch.ts";
import { enqueueSelect } from "../src/db/outbox.ts";
import { prepared } from "../src/db/prepared-batch.ts";
import { outbox, users } from "../src/db/tables.ts";
import { mintUser } from "./support/api.ts";

const start = () => startContext({ env, later: () => {} });
const targetOf = () => `batch:${crypto.randomUUID()}` as const;

it("answers by name, in any order of reading, and one row where one was asked for", async () => {
  const [ctx, ann] = [start(), await mintUser("ann")];
  const isAnn = eq(users.id, ann.id);
  const { renamed, found, missing, rows } = await ctx.db.batch({
    missing: one(ctx.db.select({ id: users.id }).from(users).where(eq(users.id, -1))),
    renamed: ctx.db.update(users).set({ bio: "new" }).where(isAnn),
    found: one(ctx.db.select({ bio: users.bio }).from(users).where(isAnn)),
    rows: ctx.db.select({ id: users.id }).from(users).where(isAnn),
  });
  expect(missing).toBeUndefined();
  expect(renamed.meta.changes).toBe(1);
  expect(found?.bio).toBe("new");
  expect(rows).toEqual([{ id: ann.id }]);
  expect(ctx.cost.d1Queries).toBe(1);
});

it("lets a statement read what its named neighbour changed", async () => {
  const [ctx, target] = [start(), targetOf()];
  const tell = (payload: string) => enqueueSelect(ctx, sql`SELECT ${target}, ${payload} WHERE changes() > 0`);
  const isMissing = eq(users.id, -1);
  const { told } = await ctx.db.batch({
    changedNothing: ctx.db.update(users).set({ bio: "x" }).where(isMissing),
    untold: after("changedNothing", tell('"no"')),
    changed: ctx.db.insert(outbox).values({ target, payload: '"first"', createdAt: ctx.now }),
    second: after("changed", tell('"second"')),
    told: ctx.db.select({ payload: outbox.payload }).from(outbox).where(eq(outbox.target, target)),
  });
  expect(told.map(({ payload }) => payload)).toEqual(['"first"', '"second"']);
});

it("refuses a wrong order before anything is sent", async () => {
  const [ctx, target] = [start(), targetOf()];
  const tell = () => enqueueSelect(ctx, sql`SELECT ${target}, '1' WHERE changes() > 0`);
  const change = () => ctx.db.update(users).set({ bio: "x" }).where(eq(users.id, -1));
  const look = () => ctx.db.select({ id: users.id }).from(users).limit(1);
  const last = () =>
    ctx.db.run(sql`INSERT INTO outbox (target, payload, created_at) SELECT ${target}, last_insert_rowid(), 1`);
  const wrong = {
    undeclared: () => ctx.db.batch({ change: change(), tell: tell() }),
    "undeclared row": () => ctx.db.batch({ change: change(), last: last() }),
    "something between": () => ctx.db.batch({ change: change(), look: look(), tell: after("change", tell()) }),
    "before its neighbour": () => ctx.db.batch({ tell: after("change", tell()), change: change() }),
    "an unknown neighbour": () => ctx.db.batch({ change: change(), tell: after("chagne", tell()) }),
    "a neighbour that only reads": () => ctx.db.batch({ look: look(), tell: after("look", tell()) }),
    "a neighbour for nothing": () => ctx.db.batch({ change: change(), look: after("change", look()) }),
  };
  for (const [name, run] of Object.entries(wrong)) await expect(run(), name).rejects.toThrow(/"(tell|last|look)"/);
  expect(ctx.cost.d1Queries).toBe(0);
});

it("compiles a prepared batch once for each variant, and asks it with the values of each call", async () => {
  const [ctx, ann, bob] = [start(), await mintUser("ann"), await mintUser("bob")];
  let compiled = 0;
  const pair = prepared((db, order: "asc" | "desc") => {
    compiled += 1;
    const ids = sql`SELECT value FROM json_each(${sql.placeholder("ids")})`;
    return {
      first: one(
        db
          .select({ username: users.username })
          .from(users)
          .where(sql`${users.id} IN (${ids})`)
          .orderBy(sql`${users.id} ${sql.raw(order)}`)
          .limit(sql.placeholder("limit")),
      ),
      madeSince: db
        .select({ id: users.id })
        .from(users)
        .where(and(gt(users.createdAt, sql.placeholder("since")), eq(users.id, sql.placeholder("id")))),
    };
  });
  const ask = (order: "asc" | "desc", id: number, since: number) =>
    ctx.db.again(pair(order), { ids: JSON.stringify([ann.id, bob.id]), limit: 1, id, since });
  const [long, soon] = [0, Date.now() + 86_400_000];
  expect(await ask("asc", bob.id, long)).toEqual({ first: { username: ann.username }, madeSince: [{ id: bob.id }] });
  expect(await ask("desc", ann.id, long)).toEqual({ first: { username: bob.username }, madeSince: [{ id: ann.id }] });
  expect(await ask("desc", ann.id, soon)).toEqual({ first: { username: bob.username }, madeSince: [] });
  expect([compiled, ctx.cost.d1Queries]).toEqual([2, 3]);
});

it("refuses a call of a prepared batch that gives a placeholder no value", async () => {
  const ctx = start();
  const found = prepared((db) => ({
    rows: db
      .select({ id: users.id })
      .from(users)
      .where(eq(users.id, sql.placeholder("id"))),
  }));
  await expect(ctx.db.again(found(), {})).rejects.toThrow(/"id"/);
  expect(ctx.cost.d1Queries).toBe(0);
});
