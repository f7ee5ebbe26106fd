/** Pages of a room's messages, as they are now, with their reactions. */
import { AppError } from "../../errors.ts";
import { parseMessageId } from "./message-id.ts";
import type { RoomSearch } from "./search.ts";
import type { Entry, RoomStore } from "./store.ts";
import { iso, type Vocabulary } from "./vocabulary.ts";

export type ReadQuery = {
  before?: string | undefined;
  after?: string | undefined;
  limit: number;
  /** Only messages of this type. */
  type?: string | undefined;
  /** Only messages that contain these words. */
  q?: string | undefined;
};
export type Page = { messages: Record<string, unknown>[]; nextCursor: string | null };

/** Of each reaction, so many people are named. */
const PEOPLE_SHOWN = 50;

/** Newest first; the cursor goes back as `before`. @throws AppError INVALID_REQUEST for a cursor that is none */
export function readPage(store: RoomStore, search: RoomSearch, words: Vocabulary, query: ReadQuery): Page {
  const part = {
    ...(query.before === undefined ? {} : { before: position(query.before) }),
    ...(query.after === undefined ? {} : { after: position(query.after) }),
    // One more than asked for tells whether there is a next page.
    limit: query.limit + 1,
  };
  const rows =
    query.q === undefined
      ? store.page({ ...part, ...(query.type === undefined ? {} : { type: query.type }) })
      : search.find(query.q, part).flatMap((seq) => store.message(seq) ?? []);
  const entries = rows.slice(0, query.limit);
  const messages = describe(store, words, entries);
  const last = messages.at(-1)?.id;
  return { messages, nextCursor: rows.length > query.limit && typeof last === "string" ? last : null };
}

/** Messages with their reactions. */
function describe(store: RoomStore, words: Vocabulary, entries: Entry[]): Record<string, unknown>[] {
  const given = Map.groupBy(store.reactionsOf(entries.map(({ seq }) => seq)), ({ message }) => message);
  return entries.map((entry) => {
    const byEmoji = Map.groupBy(given.get(entry.seq) ?? [], ({ emoji }) => emoji);
    const reactions = [...byEmoji].map(([emoji, all]) => ({
      emoji,
      count: all.length,
      userIds: all.slice(0, PEOPLE_SHOWN).map(({ userId }) => userId),
    }));
    return { ...words.message(entry), editedAt: entry.editedAt === null ? null : iso(entry.editedAt), reactions };
  });
}

function position(cursor: string): number {
  const parsed = parseMessageId(cursor);
  if (!parsed) throw new AppError("INVALID_REQUEST", "before and after take a message's id or a cursor.");
  return parsed.seq;
}
