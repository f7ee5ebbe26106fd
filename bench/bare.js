/** What a connect asks of the platform, and nothing else: the yardstick of bench/storm.ts and bench/idle.ts. */
import { DurableObject } from "cloudflare:workers";

export class Room extends DurableObject {
  async fetch(request) {
    const user = new URL(request.url).searchParams.get("user");
    const { 0: client, 1: server } = new WebSocketPair();
    this.ctx.acceptWebSocket(server);
    server.serializeAttachment({ user });
    this.ctx.storage.sql.exec("CREATE TABLE IF NOT EXISTS people (id TEXT PRIMARY KEY)");
    if (user) await this.env.HUB.getByName(user).note();
    return new Response(null, { status: 101, webSocket: client });
  }
}

/** A user's object, which hears where they are. */
export class Hub extends DurableObject {
  note() {
    this.ctx.storage.sql.exec("CREATE TABLE IF NOT EXISTS rooms (id TEXT PRIMARY KEY)");
    this.ctx.storage.sql.exec("INSERT OR IGNORE INTO rooms VALUES ('a')");
  }
}

const CALLER = "SELECT u.id, u.role FROM sessions s JOIN users u ON u.id = s.user_id WHERE s.id = ?";
const STREAM = "SELECT id, user_id, title FROM streams WHERE id = ?";

export default {
  /** Where it has a database, it asks that who comes, and where to. */
  async fetch(request, { DB, ROOM }) {
    if (DB) await DB.batch([DB.prepare(CALLER).bind("a"), DB.prepare(STREAM).bind(1)]);
    return ROOM.getByName(new URL(request.url).pathname).fetch(request);
  },
};
