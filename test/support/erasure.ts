/** An erasure, and what tests of it look at: the words that stay, as nobody's. */
import { runInDurableObject } from "cloudflare:test";
import { run } from "./admin.ts";
import { call } from "./api.ts";
import { passTime } from "./clock.ts";
import { stubsOf } from "./everywhere.ts";

export const erase = (admin: { token: string }, user: { id: number }) =>
  call(`/admin/users/${user.id}`, { method: "DELETE", token: admin.token, body: { reason: "asked for" } });
export const messagesOf = async (user: { token: string }, roomId: string) =>
  (await call(`/rooms/${roomId}/messages`, { token: user.token })).body.messages;
export const outboxOf = (...targets: string[]) =>
  run("SELECT target FROM outbox WHERE target IN (SELECT value FROM json_each(?))", JSON.stringify(targets));

export const say = (user: { token: string }, streamId: number, message: string) =>
  call(`/streams/${streamId}/chat`, { method: "POST", token: user.token, body: { message } });
export const chatOf = async (user: { token: string }, streamId: number) =>
  (await call(`/streams/${streamId}/chat`, { token: user.token })).body.messages;
export const NOBODY = { userId: null, username: "Deleted user" };

/** Whoever came within ten seconds of others is recorded by the alarm, in every object of this kind. */
export async function ringAll<T extends Ringing>(kind: DurableObjectNamespace<T>): Promise<void> {
  passTime(11);
  for (const stub of await stubsOf(kind)) await runInDurableObject(stub, (object) => object.alarm());
}

type Ringing = Rpc.DurableObjectBranded & { alarm: () => void | Promise<void> };
