/** Rooms, courses and calls under names of the maker's choice. */
import { env } from "cloudflare:workers";
import type { TestUser } from "./api.ts";
import { as } from "./rooms.ts";
import { openSocket, type TestSocket } from "./socket.ts";

let named = 0;

/** A name that no other test uses. */
export const freshName = (stem = "r"): string => {
  named += 1;
  return `${stem}${named}-${crypto.randomUUID().slice(0, 8)}`;
};

/** A group under this name; its maker and `others` belong to it. */
export const makeNamed = (maker: TestUser, id: string, others: TestUser[] = [], more: object = {}) =>
  as(maker, "POST", "/rooms", { id, isGroup: true, name: "Named", memberIds: others.map((it) => it.id), ...more });

/** The messenger's own path. */
export const dial = (user: TestUser, room: string, userId: string | number = user.id): Promise<TestSocket> =>
  openSocket(`//ws/${encodeURIComponent(room)}/${userId}?token=${user.token}`);

/** The code that the service closes this socket with. */
export const closeOf = async (socket: Promise<TestSocket>): Promise<number> => (await (await socket).nextClose()).code;

/** A number that the database answers. */
export const count = async (sql: string, ...values: unknown[]): Promise<number> =>
  Number(
    await env.DB.prepare(`SELECT count(*) AS n FROM ${sql}`)
      .bind(...values)
      .first("n"),
  );

/** The room's own id, which its object goes by. */
export async function roomIdOf(name: string): Promise<string> {
  const id = await env.DB.prepare("SELECT id FROM rooms WHERE chosen_id = ? OR course_id = ?")
    .bind(name, name)
    .first<string>("id");
  if (id === null) throw new Error(`No room is called ${name}`);
  return id;
}
