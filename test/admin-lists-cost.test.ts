/** What the pages of the admin cost the database, by its own plan. */
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { actingAs, startContext, type UserCtx } from "../src/context.ts";
import { AuditQuery } from "../src/features/admin/audit/contract.ts";
import { listAudit } from "../src/features/admin/audit/service.ts";
import { ReportListQuery } from "../src/features/admin/reports/contract.ts";
import { listReports } from "../src/features/admin/reports/service.ts";
import { UserListQuery } from "../src/features/admin/users/contract.ts";
import { listUsers } from "../src/features/admin/users/service.ts";
import { VideoListQuery } from "../src/features/admin/videos/contract.ts";
import { listVideos } from "../src/features/admin/videos/service.ts";
import { run } from "./support/admin.ts";

type Asked = { query: string; values: unknown[] };

/** Runs `list` and answers what it asked the database. */
async function queriesOf(list: (ctx: UserCtx) => Promise<unknown>): Promise<Asked[]> {
  const asked: Asked[] = [];
  const prepare = (query: string) => {
    const statement = env.DB.prepare(query);
    const bind = (...values: unknown[]) => {
      asked.push({ query, values });
      return statement.bind(...values);
    };
    return new Proxy(statement, { get: (target, key) => (key === "bind" ? bind : Reflect.get(target, key)) });
  };
  const DB = new Proxy(env.DB, {
    get: (target, key) => (key === "prepare" ? prepare : Reflect.get(target, key).bind(target)),
  });
  const ctx = startContext({ env: { ...env, DB }, later: () => {} });
  await list(
    actingAs(ctx, {
      kind: "user",
      id: 1,
      username: "a",
      displayName: null,
      avatarUrl: null,
      role: "admin",
      sessionId: "",
      expiresAt: 0,
      asOf: 0,
      generation: "",
      bornAt: 0,
    }),
  );
  return asked;
}

type Step = { id: number; parent: number; detail: string };

/** In the order of the table itself, until the page is full. */
const isWalk = (query: string): boolean => /from "audit" order by "audit"."id" desc limit/.test(query);

/** The steps of a plan that read a whole table, or sort more than the page. */
async function costlySteps({ query, values }: Asked): Promise<string[]> {
  const steps = await run<Step>(`EXPLAIN QUERY PLAN ${query}`, ...values);
  const isInPart = (step: Step): boolean => {
    const parent = steps.find((other) => other.id === step.parent);
    return parent !== undefined && (/SUBQUERY/.test(parent.detail) || isInPart(parent));
  };
  // What picks the ids stands in a subquery; the rows around it are sorted again, but they are one page.
  const hasPart = steps.some((step) => /LIST SUBQUERY/.test(step.detail));
  return steps
    .filter((step) => {
      const isWholeTable = /^SCAN (users|videos|reports|audit)\b(?!.*USING)/.test(step.detail) && !isWalk(query);
      const isSort = /TEMP B-TREE FOR ORDER BY/.test(step.detail) && (isInPart(step) || !hasPart);
      return isWholeTable || isSort;
    })
    .map((step) => step.detail);
}

const every = (
  noun: string,
  sorts: string[],
  filters: object[],
  list: (ctx: UserCtx, query: object) => Promise<unknown>,
) =>
  sorts.flatMap((sort_by) =>
    filters.flatMap((filter) =>
      ["asc", "desc"].map((order) => {
        const query = { sort_by, order, ...filter };
        return { name: `${noun} ${JSON.stringify(query)}`, list: (ctx: UserCtx) => list(ctx, query) };
      }),
    ),
  );

const STATUSES = ["all", "pending", "resolved", "rejected"];
const TYPES = ["all", "video", "comment", "user"];

describe("a page without a search reads no table whole and sorts nothing but itself", () => {
  it.each([
    ...every(
      "users",
      ["created_at", "username", "follower_count"],
      ["all", "active", "banned"].map((status) => ({ status })),
      (ctx, query) => listUsers(ctx, UserListQuery.parse(query)),
    ),
    ...every(
      "videos",
      ["created_at", "views", "likes", "comments"],
      ["all", "public", "private"].map((visibility) => ({ visibility })),
      (ctx, query) => listVideos(ctx, VideoListQuery.parse(query)),
    ),
    ...every(
      "reports",
      ["created_at"],
      STATUSES.flatMap((status) => TYPES.map((target_type) => ({ status, target_type }))),
      (ctx, query) => listReports(ctx, ReportListQuery.parse(query)),
    ),
    ...every(
      "audit",
      ["id"],
      [{}, { action: "ban" }, { adminId: 1 }, { targetType: "user", targetId: "1" }, { targetType: "user" }],
      (ctx, query) => listAudit(ctx, AuditQuery.parse(query)),
    ),
  ])("$name", async ({ list }) => {
    const asked = await queriesOf(list);
    expect(asked.length).toBeGreaterThan(0);
    for (const query of asked) expect(await costlySteps(query)).toEqual([]);
  });
});
