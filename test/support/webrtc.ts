/** Video sessions as their participants see them. */
import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, vi } from "vitest";
import { call, mintUser, type TestUser } from "./api.ts";
import { isEach } from "./each.ts";
import { openSocket, type TestSocket } from "./socket.ts";

/** SPEC 6: who is back within this time never left. */
export const GRACE_SECONDS = 6;

export const roomOf = (sessionId: string) => env.WEBRTC_ROOM.getByName(sessionId);
export const get = (user: TestUser, path: string) => call(path, { token: user.token });

export async function host(user: TestUser, more: object = {}): Promise<string> {
  const { status, body } = await call("/webrtc/sessions", { method: "POST", token: user.token, body: more });
  expect(status).toBe(201);
  return body.id;
}

export const open = (user: TestUser, sessionId: string, query = ""): Promise<TestSocket> =>
  openSocket(`/webrtc/sessions/${sessionId}/ws?token=${user.token}${query}`);

/** A socket that has joined, past its list of participants. */
export async function join(user: TestUser, sessionId: string, more: object = {}, query = ""): Promise<TestSocket> {
  const socket = await open(user, sessionId, query);
  const answer = await socket.ask("webrtc:join_session", { sessionId, role: "student", ...more });
  expect(answer).toMatchObject({ type: "ack" });
  await socket.next("webrtc:participants_list");
  return socket;
}

/** A session with its host and guests, everybody joined and everybody told; the first hosts. */
export async function meeting<const Names extends [string, ...string[]]>(...names: Names) {
  const users = await Promise.all(names.map((name) => mintUser(name)));
  const [first] = users;
  if (!first) throw new Error("Nobody to host");
  const sessionId = await host(first);
  const sockets: TestSocket[] = [];
  for (const user of users) {
    const socket = await join(user, sessionId, { displayName: user.username });
    for (const earlier of sockets) await earlier.next("webrtc:user_joined");
    sockets.push(socket);
  }
  if (!isEach(users, names) || !isEach(sockets, names)) throw new Error("Somebody is missing.");
  return { sessionId, users, sockets };
}

/** Waits until the room knows that this user's connection is gone. */
export const untilAway = (sessionId: string, userId: number) =>
  vi.waitFor(() =>
    runInDurableObject(roomOf(sessionId), (_room, { storage }) => {
      const rows = storage.sql.exec("SELECT 1 FROM present WHERE user_id = ? AND away_at IS NOT NULL", userId);
      expect(rows.toArray()).toHaveLength(1);
    }),
  );

export const offer = (sdp: string) => ({ type: "offer", sdp });
