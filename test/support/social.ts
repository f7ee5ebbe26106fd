/** Things that social tests start from, made through the API. */
import { env } from "cloudflare:workers";
import { expect } from "vitest";
import { call, type TestUser } from "./api.ts";

type By = { token: string };

/** What the API has no door for: a role is given by an admin, and the first admin by a script. */
export async function giveRole(user: TestUser, role: "moderator" | "admin"): Promise<TestUser> {
  await env.DB.prepare("UPDATE users SET role = ? WHERE id = ?").bind(role, user.id).run();
  return user;
}

export async function mintVideo(owner: By, more: object = {}): Promise<{ id: number; title: string }> {
  const body = { title: "A day at sea", videoUrl: "https://cdn.example.com/sea.mp4", ...more };
  const answer = await call("/videos", { method: "POST", token: owner.token, body });
  if (answer.status !== 201) throw new Error(`POST /videos answered ${answer.status}: ${JSON.stringify(answer.body)}`);
  return answer.body;
}

export const post = (by: By | null, path: string, body?: unknown) =>
  call(path, { method: "POST", token: by?.token, body });
export const remove = (by: By | null, path: string) => call(path, { method: "DELETE", token: by?.token });
export const get = (by: By | null, path: string) => call(path, { token: by?.token });

export const comment = (by: By, videoId: number, content: string, parentId?: number) =>
  post(by, "/comments", { videoId, content, parentId });

/** The type of each of a user's notifications, newest first. */
export async function noticesOf(user: By): Promise<{ type: string; refId: number; actor: { id: number } | null }[]> {
  const { body } = await get(user, "/notifications?limit=100");
  return body.notifications;
}
export const noticeTypesOf = async (user: By): Promise<string[]> => (await noticesOf(user)).map(({ type }) => type);

/** That a browser finds no tag, event handler or script link in a text, which a reader still sees as it was typed. */
export function expectInert(text: string, typed: string): void {
  expect(text).not.toMatch(/<[a-z/!?]|\bon[a-z]+\s*=|javascript\s*:/i);
  expect(text.replaceAll("\u2060", "")).toBe(typed);
}
