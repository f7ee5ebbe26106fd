/** Pages of a chat's messages, as they are now, with their reactions. */
import { type Dialect, iso, type Shown } from "./dialect.ts";
import type { ChatLog, Message, Part } from "./log.ts";
import type { Reactions } from "./reactions.ts";
import type { ChatSearch } from "./search.ts";

/** `before` and `after` are positions in the log, and left out. */
export type ReadQuery = Part & {
  /** Only messages of this type. */
  type?: string | undefined;
  /** Only messages that contain these words. */
  q?: string | undefined;
};
/**
 * `before`: where the next page goes on, null at the end. `isPartial`: a search has looked through as much as it may at
 * once, and may find more.
 */
export type Page = { messages: Record<string, unknown>[]; before: number | null; isPartial: boolean };

/** Of each reaction, so many people are named. */
const PEOPLE_SHOWN = 50;

export class ChatHistory {
  readonly #log: ChatLog;
  readonly #reactions: Reactions;
  readonly #search: ChatSearch;
  readonly #shown: Shown;

  constructor(log: ChatLog, reactions: Reactions, search: ChatSearch, shown: Shown) {
    this.#shown = shown;
    this.#log = log;
    this.#reactions = reactions;
    this.#search = search;
  }

  /** Newest first. */
  page(dialect: Dialect, { before, after, limit, type, q }: ReadQuery): Page {
    // One more than asked for tells whether there is a next page.
    const part: Part = { before, after, limit: limit + 1 };
    const found = q === undefined ? null : this.#search.find(q, part);
    const rows = found?.seqs.flatMap((seq) => this.#log.message(seq) ?? []) ?? this.#log.page({ ...part, type });
    const messages = rows.slice(0, limit);
    const hasMore = rows.length > limit;
    return {
      messages: this.#describe(dialect, messages),
      before: hasMore ? (messages.at(-1)?.seq ?? null) : (found?.lookedTo ?? null),
      isPartial: !hasMore && found?.lookedTo != null,
    };
  }

  #describe(dialect: Dialect, messages: Message[]): Record<string, unknown>[] {
    const given = Map.groupBy(this.#reactions.of(messages.map(({ seq }) => seq)), ({ message }) => message);
    return messages.map((message) => {
      const byKey = Map.groupBy(given.get(message.seq) ?? [], ({ key }) => key);
      const reactions = [...byKey.values()].map((all) => ({
        emoji: all[0]?.emoji ?? "",
        count: all.length,
        userIds: all.slice(0, PEOPLE_SHOWN).map(({ userId }) => userId),
      }));
      const editedAt = message.editedAt === null ? null : iso(message.editedAt);
      return { ...dialect.message(this.#shown(message)), editedAt, reactions };
    });
  }
}
