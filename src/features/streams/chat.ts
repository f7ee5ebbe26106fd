/** The chat over HTTP: the same commands as on the socket, and the history. */
import { eq } from "drizzle-orm";
import type { Ctx, UserCtx } from "../../context.ts";
import type { FeedQuery } from "../../db/page.ts";
import { streams } from "../../db/tables.ts";
import { AppError } from "../../errors.ts";
import { callObject } from "../../platform/objects.ts";
import { outcomeOf } from "../../realtime/commands.ts";
import type { StreamCommand } from "./chat-contract.ts";
import type { StreamFacts } from "./room.ts";

/**
 * What a stream's room must know about it. Asked before any object is touched: an id that is no stream makes none.
 * @throws AppError NOT_FOUND
 */
export async function streamFacts(ctx: Ctx, streamId: number): Promise<StreamFacts> {
  const [stream] = await ctx.db.select({ ownerId: streams.userId }).from(streams).where(eq(streams.id, streamId));
  if (!stream) throw new AppError("NOT_FOUND");
  return stream;
}

/** @throws AppError NOT_FOUND no such stream, and whatever the command refuses */
export async function actInChat(
  ctx: UserCtx,
  streamId: number,
  command: StreamCommand,
  data: unknown,
): Promise<unknown> {
  const facts = await streamFacts(ctx, streamId);
  const { id: userId, username, displayName, avatarUrl, role } = ctx.actor;
  const person = { userId, username, displayName, avatarUrl, role };
  const outcome = await callObject(ctx, ctx.env.STREAM_ROOM, String(streamId), (room) =>
    room.executeFor(facts, person, command, data),
  );
  return outcomeOf(outcome);
}

/** Newest first. @throws AppError NOT_FOUND */
export async function readChat(ctx: Ctx, streamId: number, query: FeedQuery) {
  await streamFacts(ctx, streamId);
  const rows = await callObject(ctx, ctx.env.STREAM_ROOM, String(streamId), (room) =>
    room.history({ before: query.before, after: query.after, rows: query.limit + 1 }),
  );
  const items = rows.slice(0, query.limit);
  return { messages: items, nextCursor: rows.length > query.limit ? (items.at(-1)?.seq ?? null) : null };
}
