/**
 * All that is kept of oneself, as one JSON document (SPEC 13): written piece by piece, each no larger than a page, as fast as
 * the caller reads. What objects keep is found by the references that an erasure uses (db/user-references.ts).
 */
import { and, asc, eq, gt, sql } from "drizzle-orm";
import { spend } from "../../auth/rate-limit.ts";
import { type Ctx, publicOrigin, type UserCtx } from "../../context.ts";
import { files, rateWindows } from "../../db/tables.ts";
import type { HubExport } from "../../hub/export.ts";
import { logFailure } from "../../platform/log.ts";
import { callObject, hubName } from "../../platform/objects.ts";
import { viewPath } from "../files/service.ts";
import { PAGE, type Pages } from "./export-pages.ts";
import { sectionsOf } from "./export-sections.ts";
import { readAccount } from "./own-account.ts";

const ONCE_IN_SECONDS = 86_400;

/** The document. One that breaks off is no valid JSON, and does not count. @throws AppError RATE_LIMIT the second in a day */
export async function exportAccount(ctx: UserCtx): Promise<ReadableStream<Uint8Array>> {
  const key = `export:${ctx.actor.id}`;
  await spend(ctx, { key, limit: 1, windowSeconds: ONCE_IN_SECONDS, isHarmless: true });
  const pieces = document(ctx);
  const encoder = new TextEncoder();
  const giveBack = async (thrown?: unknown) => {
    if (thrown !== undefined) logFailure(ctx, "export.failed", thrown);
    await ctx.db.delete(rateWindows).where(eq(rateWindows.key, key));
  };
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        const { done, value } = await pieces.next();
        if (done) controller.close();
        else controller.enqueue(encoder.encode(value));
      } catch (thrown) {
        await giveBack(thrown);
        controller.error(thrown);
      }
    },
    async cancel() {
      await pieces.return();
      await giveBack();
    },
  });
}

async function* document(ctx: UserCtx): AsyncGenerator<string, void, undefined> {
  const userId = ctx.actor.id;
  yield `{"exportedAt":${JSON.stringify(ctx.now.toISOString())},"account":${JSON.stringify(await readAccount(ctx))}`;
  for (const { name, pages } of sectionsOf(userId)) yield* list(name, rowsOf(ctx, pages));
  yield* list("files", filesOf(ctx));
  yield* list("inRooms", placesOf(ctx));
  yield* list("events", eventsOf(ctx));
  yield "}\n";
}

/** A list of the document from pages of its items, each of them JSON. */
async function* list(name: string, pages: AsyncIterable<string[]>): AsyncGenerator<string, void, undefined> {
  yield `,\n${JSON.stringify(name)}:[`;
  let separator = "";
  for await (const items of pages) {
    if (items.length === 0) continue;
    yield `${separator}${items.join(",\n")}`;
    separator = ",\n";
  }
  yield "]";
}

async function* rowsOf(ctx: Ctx, parts: Pages[]): AsyncGenerator<string[], void, undefined> {
  for (const { start, after } of parts) {
    for (let cursor: string | number | undefined = start; cursor !== undefined; ) {
      const rows: { cursor: string | number; item: string }[] = await ctx.db.all(after(cursor));
      yield rows.map(({ item }) => item);
      cursor = rows.length === PAGE ? rows.at(-1)?.cursor : undefined;
    }
  }
}

/** One's own event log, as it was sent; and last, which topics one hears now. */
async function* eventsOf(ctx: UserCtx): AsyncGenerator<string[], void, undefined> {
  for (let after: number | null = 0; after !== null; ) {
    const { events, topics, next } = await readHub(ctx, after);
    yield events;
    if (next === null) yield topics.map((topic) => JSON.stringify({ type: "subscribed", topic }));
    after = next;
  }
}

const readHub = (ctx: UserCtx, after: number): Promise<HubExport> =>
  callObject(ctx, ctx.env.USER_HUB, hubName(ctx.actor.id), (hub) => hub.exportOf(after));

/** With links, which open with a token of their owner's. */
async function* filesOf(ctx: UserCtx): AsyncGenerator<string[], void, undefined> {
  for (let last: string | undefined = ""; last !== undefined; ) {
    const rows: (typeof files.$inferSelect)[] = await ctx.db
      .select()
      .from(files)
      .where(and(eq(files.ownerId, ctx.actor.id), gt(files.id, last)))
      .orderBy(asc(files.id))
      .limit(PAGE);
    yield rows.map((row) =>
      JSON.stringify({
        id: row.id,
        folder: row.folder,
        name: row.name,
        originalName: row.originalName,
        mimeType: row.mimeType,
        size: row.size,
        visibility: row.visibility,
        url: `${publicOrigin(ctx)}${viewPath(row)}`,
        createdAt: row.createdAt.toISOString(),
      }),
    );
    last = rows.length === PAGE ? rows.at(-1)?.id : undefined;
  }
}

/**
 * Where the user is named, in pages. Rooms of theirs are known at once, other places some seconds after the first word. Other
 * people's own objects name them in what those were told: that is theirs.
 */
const placesAfter = (userId: number, last: string) => sql`SELECT target FROM (
    SELECT target FROM user_references WHERE user_id = ${userId} AND (target < 'user:' OR target >= 'user;')
    UNION SELECT 'room:' || room_id FROM room_members WHERE user_id = ${userId})
  WHERE target > ${last} ORDER BY target LIMIT ${PAGE}`;

/** What was said and done in rooms, courses, streams and calls, by `place`. */
async function* placesOf(ctx: UserCtx): AsyncGenerator<string[], void, undefined> {
  for (let last: string | undefined = ""; last !== undefined; ) {
    const rows: { target: string }[] = await ctx.db.all(placesAfter(ctx.actor.id, last));
    for (const { target } of rows) yield* placeOf(ctx, target);
    last = rows.length === PAGE ? rows.at(-1)?.target : undefined;
  }
}

async function* placeOf(ctx: UserCtx, place: string): AsyncGenerator<string[], void, undefined> {
  const colon = place.indexOf(":");
  const [kind, name] = [place.slice(0, colon), place.slice(colon + 1)];
  if (kind === "webrtc") {
    const attendance = await callObject(ctx, ctx.env.WEBRTC_ROOM, name, (call) => call.exportOf(ctx.actor.id));
    yield attendance.map((record) => JSON.stringify({ place, kind: "stay", ...record }));
    return;
  }
  for (let after: number | null = 0; after !== null; ) {
    const { messages, reactions, mutedUntil, next } = await chatOf(ctx, kind, name, after);
    yield [
      ...(mutedUntil === null ? [] : [JSON.stringify({ place, kind: "mute", until: mutedUntil })]),
      ...messages.map((message) => JSON.stringify({ place, kind: "message", ...message })),
      ...reactions.map((reaction) => JSON.stringify({ place, kind: "reaction", ...reaction })),
    ];
    after = next;
  }
}

type Chats = { messages: object[]; reactions: object[]; mutedUntil: string | null; next: number | null };

async function chatOf(ctx: UserCtx, kind: string, name: string, after: number): Promise<Chats> {
  const { env, actor } = ctx;
  if (kind === "room") return callObject(ctx, env.CHAT_ROOM, name, (room) => room.exportOf(actor.id, after));
  if (kind === "stream") return callObject(ctx, env.STREAM_ROOM, name, (room) => room.exportOf(actor.id, after));
  return { messages: [], reactions: [], mutedUntil: null, next: null };
}
