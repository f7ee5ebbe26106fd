/** The net under everything: delivers what a crash left in the outbox. Run by cron. */
import { sql } from "drizzle-orm";
import type { CallContext } from "./call-context.ts";
import { generationColumn } from "./generation.ts";
import { deliverNow, type Pending } from "./outbox.ts";

/** Rows older than this were left behind by a crash or an overload; younger ones are being delivered right now. */
const LEFT_BEHIND_MS = 20_000;
/** Receivers that are delivered to side by side, and rows that each of them gets in a turn. */
const TURN_TARGETS = 100;
const TURN_ROWS = 50;
/** The cron has a minute, and other jobs. */
const SWEEP_MS = 25_000;

/** Above every target. */
const END = "\u{10ffff}";

/**
 * Goes around all receivers, beginning anywhere, and around again as long as that gets more delivered: whoever has a
 * thousand rows, or cannot be reached, holds up nobody else.
 * @returns how many rows were tried
 */
export async function sweepOutbox(ctx: CallContext, olderThanMs: number = LEFT_BEHIND_MS): Promise<number> {
  const before = ctx.now.getTime() - olderThanMs;
  const until = Date.now() + SWEEP_MS;
  const start = await anyTarget(ctx);
  let tried = 0;
  for (let hasMore = start !== null; hasMore; ) {
    hasMore = false;
    for await (const { rows, isFull } of turns(ctx, start ?? "", before)) {
      const arrived = await deliverNow(ctx, rows);
      tried += rows.length;
      hasMore ||= isFull && arrived > 0;
      if (Date.now() > until) return tried;
    }
  }
  return tried;
}

/** The receiver of a row that is picked at random; null when there is none. */
async function anyTarget(ctx: CallContext): Promise<string | null> {
  const [row] = await ctx.db.all<{ target: string }>(sql`SELECT target FROM outbox WHERE id >= (
    SELECT min(id) + abs(random() % (max(id) - min(id) + 1)) FROM outbox) ORDER BY id LIMIT 1`);
  return row?.target ?? null;
}

type Turn = { rows: Pending[]; isFull: boolean };

/** Once around: from after `start` to the end, and from the beginning to `start`. */
async function* turns(ctx: CallContext, start: string, before: number): AsyncGenerator<Turn> {
  for (const [first, last] of [
    [start, END],
    ["", start],
  ] as const) {
    for (let from: string | undefined = first; from !== undefined; ) {
      const targets = await nextTargets(ctx, from, last);
      const rows = await readRows(ctx, targets, before);
      yield { rows, isFull: [...Map.groupBy(rows, ({ target }) => target).values()].some(isTurnFull) };
      from = targets.length === TURN_TARGETS ? targets.at(-1) : undefined;
    }
  }
}

const isTurnFull = (rows: Pending[]): boolean => rows.length === TURN_ROWS;

/** The next receivers in the order of the index: a seek each, however many rows they have. */
async function nextTargets(ctx: CallContext, after: string, last: string): Promise<string[]> {
  const rows = await ctx.db.all<{ target: string }>(sql`
    WITH RECURSIVE next (target) AS (
      SELECT min(target) FROM outbox WHERE target > ${after} AND target <= ${last}
      UNION ALL
      SELECT (SELECT min(o.target) FROM outbox o WHERE o.target > next.target AND o.target <= ${last})
      FROM next WHERE next.target IS NOT NULL
    ) SELECT target FROM next WHERE target IS NOT NULL LIMIT ${TURN_TARGETS}`);
  return rows.map(({ target }) => target);
}

/** The first rows of each receiver whose oldest was left behind. */
function readRows(ctx: CallContext, targets: string[], before: number): Promise<Pending[]> {
  return ctx.db.all<Pending>(sql`
    SELECT o.id, o.target, o.payload, ${generationColumn} AS generation FROM json_each(${JSON.stringify(targets)}) t JOIN outbox o ON o.target = t.value
    WHERE (SELECT created_at FROM outbox WHERE target = t.value ORDER BY id LIMIT 1) <= ${before}
      AND o.id IN (SELECT id FROM outbox WHERE target = t.value ORDER BY id LIMIT ${TURN_ROWS})
    ORDER BY o.id`);
}
