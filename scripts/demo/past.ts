/**
 * A week of statistics. No API dates things back, so this is SQL for the local database: what people did moves over the last seven
 * days, nothing before its maker had registered, and the counters of the days follow as the triggers would have kept them.
 */
const DAY_MS = 86_400_000;
const DAY = (column: string): string => `(${column} / ${DAY_MS})`;

/** How many whole days ago that row was made, with what is in `u`, `v` or `o` already moved. */
const ago = (column: string): string => `(unixepoch() * 1000 / ${DAY_MS} - ${DAY(column)})`;
const userAgo = (column: string): string => `(SELECT ${ago("u.created_at")} FROM users u WHERE u.id = ${column})`;
const videoAgo = `(SELECT ${ago("v.created_at")} FROM videos v WHERE v.id = video_id)`;
/** Some day between then and today, other for each row. */
const within = (days: string, seed: string): string => `(${seed}) % (1 + ${days})`;

type Move = {
  table: string;
  /** The person who did it. */
  whose: string;
  column: string;
  /** Days back. */
  days: string;
  /** The counters of `stats_days`, and what a row adds to them. */
  counters: Record<string, string>;
};

const MOVES: Move[] = [
  { table: "users", whose: "id", column: "created_at", days: "6 - (id * 3) % 5", counters: { users_new: "1" } },
  {
    table: "videos",
    whose: "owner_id",
    column: "created_at",
    days: within(userAgo("owner_id"), "id * 5"),
    counters: { videos_new: "1" },
  },
  {
    table: "likes",
    whose: "user_id",
    column: "created_at",
    days: within(`min(${userAgo("user_id")}, ${videoAgo})`, "user_id * 7 + video_id * 3"),
    counters: { likes: "1" },
  },
  {
    table: "comments",
    whose: "author_id",
    column: "created_at",
    days: within(`min(${userAgo("author_id")}, ${videoAgo})`, "id * 3"),
    counters: { comments: "1" },
  },
  {
    table: "follows",
    whose: "follower_id",
    column: "created_at",
    days: within(`min(${userAgo("follower_id")}, ${userAgo("followed_id")})`, "follower_id * 5 + followed_id * 3"),
    counters: { follows: "1" },
  },
  {
    table: "reports",
    whose: "reporter_id",
    column: "created_at",
    days: within(userAgo("reporter_id"), "id * 2"),
    counters: {
      reports_pending: "status = 'pending'",
      reports_resolved: "status = 'resolved'",
      reports_rejected: "status = 'rejected'",
    },
  },
];

function count({ table, whose, column, counters }: Move, people: string, sign: "+" | "-"): string {
  const names = Object.keys(counters);
  const sums = Object.values(counters).map((what) => `${sign}sum(${what})`);
  const changes = names.map((name) => `${name} = ${name} + excluded.${name}`);
  return `INSERT INTO stats_days (day, ${names.join(", ")})
    SELECT ${DAY(column)}, ${sums.join(", ")} FROM ${table} WHERE ${whose} IN (${people}) GROUP BY 1
    ON CONFLICT (day) DO UPDATE SET ${changes.join(", ")};`;
}

const move = (one: Move, people: string): string =>
  [
    count(one, people, "-"),
    `UPDATE ${one.table} SET ${one.column} = ${one.column} - ${DAY_MS} * (${one.days}) WHERE ${one.whose} IN (${people});`,
    count(one, people, "+"),
  ].join("\n");

/** Everybody watches again on some day between: a view counts anew, with its own trigger. */
const views = (people: string): string =>
  `UPDATE video_views SET counted_at = counted_at - ${DAY_MS} * (${within(
    videoAgo,
    "video_id * 3 + CAST(substr(viewer, 6) AS INTEGER) * 5",
  )}) WHERE viewer IN (SELECT 'user:' || id FROM users WHERE id IN (${people}));`;

/** Who did something on a day was there. */
const active = (people: string): string => {
  const acts = MOVES.map(
    ({ table, whose, column }) => `SELECT ${whose} AS person, ${DAY(column)} AS day FROM ${table}`,
  );
  // D1 takes five parts of a compound SELECT.
  const halves = [acts.slice(0, 3), acts.slice(3)].map((half) => `SELECT * FROM (${half.join(" UNION ")})`);
  return `INSERT INTO stats_days (day, users_active)
    SELECT day, count(DISTINCT person) FROM (${halves.join(" UNION ")}) WHERE person IN (${people}) GROUP BY day
    ON CONFLICT (day) DO UPDATE SET users_active = max(users_active, excluded.users_active);`;
};

/** @param ids of the people whose week it was */
export function weekOf(ids: number[]): string {
  const people = ids.join(", ");
  return [...MOVES.map((one) => move(one, people)), views(people), active(people)].join("\n");
}
