/** What Roomcast adds to the shop: a room in which each customer asks for help, and answers as they are known. */
import { RoomcastServer, RoomcastServerError, verifyWebhook, WebhookVerificationError } from "@roomcast/server";
import { type ErrorRequestHandler, Router, text } from "express";
import { answerTo, type Customer, customerOf, database, findCustomer } from "./shop.ts";

const {
  ROOMCAST_URL: url = "http://localhost:8787",
  ROOMCAST_KEY: key = "",
  ROOMCAST_SECRET: secret = "",
} = process.env;
const roomcast = new RoomcastServer({ url, key });
export const realtime = Router();

database.exec("CREATE TABLE IF NOT EXISTS help (customer_id INTEGER PRIMARY KEY, room_id TEXT NOT NULL UNIQUE)");

/** The customer's room, made when it is first asked for. */
async function roomOf({ id, name }: Customer): Promise<string> {
  const find = database.prepare("SELECT room_id FROM help WHERE customer_id = ?");
  if (!find.get(id)) {
    const room = await roomcast.makeRoom({
      name: `Help for ${name}`,
      isGroup: true,
      memberIds: [{ externalId: String(id) }],
    });
    database.prepare("INSERT OR IGNORE INTO help VALUES (?, ?)").run(id, room.id);
  }
  return String(find.get(id)?.room_id);
}

/** What the page needs to open its socket: asked for by who is signed in here. */
realtime.post("/help", async (request, response) => {
  const customer = customerOf(request);
  if (!customer) return void response.sendStatus(401);
  const externalId = String(customer.id);
  await roomcast.putUser(externalId, { displayName: customer.name });
  const roomId = await roomOf(customer);
  const { token } = await roomcast.makeToken({ externalId, expiresInSeconds: 3600 });
  response.json({ url, roomId, token });
});

/** Roomcast tells of what was written, signed. The bytes are verified, so they are not parsed before. */
realtime.post("/roomcast", text({ type: "application/json" }), async (request, response) => {
  const { events } = await verifyWebhook(secret, request.headers, request.body);
  for (const event of events) {
    if (event.type !== "room.message_sent") continue;
    const { id, roomId, content, externalIds } = event.data;
    const customer = findCustomer(Number(externalIds?.userId));
    if (customer && (await roomOf(customer)) === roomId) await publish(roomId, answerTo(customer, content), id);
  }
  response.sendStatus(204);
});

/** The same event may come twice: its message is answered once, by the `dedupeId`. */
async function publish(roomId: string, data: string, dedupeId: string): Promise<void> {
  try {
    await roomcast.publish({ to: { roomId }, type: "help:answer", data, keep: true, dedupeId });
  } catch (error) {
    const isAnswered = error instanceof RoomcastServerError && error.code === "CONFLICT";
    if (!isAnswered) throw error;
  }
}

const refuse: ErrorRequestHandler = (error, _request, response, next) => {
  if (error instanceof WebhookVerificationError) response.sendStatus(401);
  else next(error);
};
realtime.use(refuse);
