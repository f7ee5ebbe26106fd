/** Rooms and people in them, for tests. */

import { call, mintUser, type TestUser } from "./api.ts";
import { forEach } from "./each.ts";
import { openSocket, type TestSocket } from "./socket.ts";

/** People, and a group that the first of them made. */
export async function mintGroup<const Names extends readonly string[]>(...names: Names) {
  const people = await forEach(names, mintUser);
  const [owner, ...others]: readonly TestUser[] = people;
  const body = { name: "The group", isGroup: true, memberIds: others.map(({ id }) => id) };
  const made = await call("/rooms", { method: "POST", token: owner?.token, body });
  if (made.status !== 201) throw new Error(`POST /rooms answered ${made.status}: ${JSON.stringify(made.body)}`);
  return { roomId: String(made.body.id), people };
}

/** A member's socket in a room, past its first two frames. */
export async function openRoom(user: { id: number; token: string }, roomId: string, query = ""): Promise<TestSocket> {
  const socket = await openSocket(`//ws/${roomId}/${user.id}?token=${user.token}${query}`);
  await socket.next("connected");
  await socket.next("online_users");
  return socket;
}

export async function openCourse(user: { token: string }, courseId: string, query = ""): Promise<TestSocket> {
  const socket = await openSocket(`/chat/courses/${encodeURIComponent(courseId)}/ws?token=${user.token}${query}`);
  await socket.next("connected");
  await socket.next("chat:online_users");
  return socket;
}

/** A call of the API by a user, or by nobody. */
export const as = (user: TestUser | undefined, method: string, path: string, body?: unknown) =>
  call(path, { method, token: user?.token, ...(body === undefined ? {} : { body }) });

/** A group of three; the first made it. */
export async function mintThree() {
  const { roomId, people } = await mintGroup("ann", "bob", "cid");
  const [ann, bob, cid] = people;
  return { roomId, ann, bob, cid };
}

export const post = (from: { token: string }, roomId: string, content: string, more: object = {}) =>
  call(`/rooms/${roomId}/messages`, { method: "POST", token: from.token, body: { content, ...more } });

/** Gives a user a role, as `npm run admin` does. */
export async function promote(db: D1Database, user: { id: number }, role: "moderator" | "admin"): Promise<void> {
  await db.prepare("UPDATE users SET role = ? WHERE id = ?").bind(role, user.id).run();
}
