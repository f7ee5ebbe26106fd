/** What the admin's tests share: admins, and rows as the other slices write them. */
import { env } from "cloudflare:workers";
import { call, mintUser, type TestUser } from "./api.ts";

/** A fresh user with the role, as `npm run admin` gives it. */
export async function mintAdmin(name = "admin"): Promise<TestUser> {
  const user = await mintUser(name);
  await run("UPDATE users SET role = 'admin' WHERE id = ?", user.id);
  return user;
}

/** Runs SQL, and answers its rows. */
export async function run<T = Record<string, unknown>>(sql: string, ...values: unknown[]): Promise<T[]> {
  const { results } = await env.DB.prepare(sql)
    .bind(...values)
    .all<T>();
  return results;
}

type Made = { id: number };

const made = async (sql: string, ...values: unknown[]): Promise<number> => {
  const [row] = await run<Made>(`${sql} RETURNING id`, ...values);
  if (!row) throw new Error(`Nothing was made by ${sql}`);
  return row.id;
};

export const makeVideo = (owner: { id: number }, title = "a video", more: { visibility?: string; at?: number } = {}) =>
  made(
    "INSERT INTO videos (owner_id, title, video_url, visibility, created_at) VALUES (?, ?, '/v.mp4', ?, ?)",
    owner.id,
    title,
    more.visibility ?? "public",
    more.at ?? Date.now(),
  );

export const makeComment = (author: { id: number }, videoId: number, content = "a comment", parentId?: number) =>
  made(
    "INSERT INTO comments (video_id, author_id, parent_id, content, created_at) VALUES (?, ?, ?, ?, ?)",
    videoId,
    author.id,
    parentId ?? null,
    content,
    Date.now(),
  );

export const makeReport = (reporter: { id: number }, targetType: string, targetId: number, reason = "spam") =>
  made(
    "INSERT INTO reports (reporter_id, target_type, target_id, reason, created_at) VALUES (?, ?, ?, ?, ?)",
    reporter.id,
    targetType,
    targetId,
    reason,
    Date.now(),
  );

export const like = (user: { id: number }, videoId: number) =>
  run("INSERT INTO likes (video_id, user_id, created_at) VALUES (?, ?, ?)", videoId, user.id, Date.now());

/** Numbers that look random and are the same in every run (mulberry32). */
export function seeded(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

export const act = (by: { token: string }, method: string, path: string, body?: object) =>
  call(`/admin${path}`, { method, token: by.token, body });
export const post = (by: { token: string }, path: string, body?: object) => act(by, "POST", path, body);
export const me = (user: { token: string }) => call("/auth/me", { token: user.token });

export type Entry = {
  action: string;
  target_type: string;
  target_id: string;
  reason: string | null;
  request_id: string;
};
export const auditOf = (admin: { id: number }) =>
  run<Entry>(
    "SELECT action, target_type, target_id, reason, request_id FROM audit WHERE admin_id = ? ORDER BY id",
    admin.id,
  );
export const deeds = async (admin: { id: number }) =>
  (await auditOf(admin)).map((entry) => `${entry.action} ${entry.target_type} ${entry.target_id}`);
