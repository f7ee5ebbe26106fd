/** The two ways of paging (SPEC 0): numbered pages with a total, and feeds that grow at the head, by cursor. */
import { and, asc, desc, gt, lt, type SQL, type SQLWrapper } from "drizzle-orm";
import { z } from "zod";

const MOST = 100;
const limitOr = (standard: number) =>
  z.number().int().min(1).max(MOST).default(standard).describe(`Items per page, 1 to ${MOST}`);
const limit = limitOr(20);

export const PageQuery = z.object({
  page: z.number().int().min(1).max(1_000_000).default(1).describe("From 1"),
  limit,
});
export type PageQuery = z.output<typeof PageQuery>;

/** For lists that may have as many items as a page: who asks for no page gets them all. */
export const WholeListQuery = PageQuery.extend({ limit: limitOr(MOST) });

export const Pagination = z.object({
  page: z.number().int(),
  limit: z.number().int(),
  total: z.number().int(),
  pages: z.number().int(),
});

export const pagination = ({ page, limit }: PageQuery, total: number): z.infer<typeof Pagination> => ({
  page,
  limit,
  total,
  pages: Math.ceil(total / limit),
});

export const offsetOf = ({ page, limit }: PageQuery): number => (page - 1) * limit;

const cursor = z.number().int().min(0).optional();

/** For feeds whose items have integer ids. */
export const FeedQuery = z.object({
  before: cursor.describe("Only items older than this id, or a `nextCursor`"),
  after: cursor.describe("Only items newer than this id, or a `nextCursor`"),
  limit,
});
export type FeedQuery = z.output<typeof FeedQuery>;

export const NextCursor = z.number().int().nullable().describe("Where the next page goes on; null at the end");

/** Conditions and order of a feed whose newest items come first. Ask for `rows` rows, then call `newestFirst`. */
export function feedPart(
  id: SQLWrapper,
  { before, after, limit }: FeedQuery,
): { where: SQL | undefined; order: SQL; rows: number } {
  return {
    where: and(before === undefined ? undefined : lt(id, before), after === undefined ? undefined : gt(id, after)),
    order: desc(id),
    // One more than asked for tells whether there is a next page.
    rows: limit + 1,
  };
}

/** Cuts the page and finds its cursor, which goes back as `before`. */
export function newestFirst<T extends { id: number }>(
  rows: T[],
  { limit }: FeedQuery,
): { items: T[]; nextCursor: number | null } {
  const items = rows.slice(0, limit);
  return { items, nextCursor: rows.length > limit ? (items.at(-1)?.id ?? null) : null };
}

/** As `feedPart`, for a feed that reads forward from `after`; without `after` it starts with the newest page. */
export function forwardPart(id: SQLWrapper, query: FeedQuery): { where: SQL | undefined; order: SQL; rows: number } {
  const part = feedPart(id, query);
  return query.after === undefined ? part : { ...part, order: asc(id) };
}

/** Puts the page into reading order and finds its cursor, which goes back as `after`. */
export function oldestFirst<T extends { id: number }>(
  rows: T[],
  query: FeedQuery,
): { items: T[]; nextCursor: number | null } {
  const page = rows.slice(0, query.limit);
  const items = query.after === undefined ? page.reverse() : page;
  const hasNewer = query.after === undefined ? query.before !== undefined : rows.length > query.limit;
  return { items, nextCursor: hasNewer ? (items.at(-1)?.id ?? null) : null };
}
