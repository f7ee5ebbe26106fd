/**
 * A user's object: their event log, all their connections to it, and the list of rooms they are in. The one place to push
 * to, and to cut off.
 */
import { RpcTarget } from "cloudflare:workers";
import { z } from "zod";
import { actingAs, objectContext, type UserCtx } from "../context.ts";
import type { Delivery } from "../db/outbox.ts";
import type { FailedDelivery } from "../db/outbox-parked.ts";
import { logFailure } from "../platform/log.ts";
import { callObject } from "../platform/objects.ts";
import type { CommandContext } from "../realtime/commands.ts";
import type { Connection } from "../realtime/connection.ts";
import { Person } from "../realtime/connection-state.ts";
import { FRAME_LOG_SCHEMA, FrameLog } from "../realtime/log.ts";
import { migrate } from "../realtime/migrations.ts";
import { encodeFrame, type Frame } from "../realtime/protocol.ts";
import { Room } from "../realtime/room.ts";
import { RoomKind, type RoomRef } from "../realtime/room-ref.ts";
import { namespaceOf } from "../realtime/rooms.ts";
import { HubDelivery } from "./delivery.ts";
import { hubFeatures } from "./features.ts";

/** SPEC 2: the last 1000, and all of the last 7 days up to 10 000. */
const RETENTION = { least: 1000, days: 7, most: 10_000 };

/** A room connection that was authenticated before a cut-off, by clocks that may differ a little, is caught by it. */
const CLOCK_SKEW_MS = 5000;
/** A cut-off matters to connections that were being opened when it came; no opening takes this long. */
const CUT_OFFS_KEPT_MS = 300_000;
const ERRAND_RETRY_MS = 5000;

const SCHEMA = [
  FRAME_LOG_SCHEMA,
  `CREATE TABLE places (kind TEXT NOT NULL, name TEXT NOT NULL, PRIMARY KEY (kind, name)) WITHOUT ROWID;
   CREATE TABLE errands (id INTEGER PRIMARY KEY, kind TEXT NOT NULL, name TEXT NOT NULL, errand TEXT NOT NULL);
   CREATE TABLE cut_offs (at INTEGER NOT NULL, cut TEXT NOT NULL);
   CREATE TABLE last_delivery (id INTEGER NOT NULL);`,
];

const StoredRevocation = z.object({
  code: z.number(),
  reason: z.string(),
  sessionId: z.string().optional(),
  exceptSessionId: z.string().optional(),
});
type StoredRevocation = z.infer<typeof StoredRevocation>;

/** What a room still has to be told about this user. */
const Errand = z.object({
  cut: StoredRevocation.extend({ userId: z.number() }).optional(),
  person: Person.partial().extend({ userId: z.number() }).optional(),
});
type Errand = z.infer<typeof Errand>;
type ErrandRow = { id: number; kind: string; name: string; errand: string };

export class UserHub extends Room {
  protected override readonly kind = "user";
  protected override readonly roomKind = null;
  protected override readonly log: FrameLog;
  readonly #sql: SqlStorage;
  #presence: Promise<void> = Promise.resolve();

  readonly #features = hubFeatures();
  protected override readonly commands = this.#features.commands((by) => this.#as(by));

  constructor(state: DurableObjectState, env: Env) {
    super(state, env);
    this.#sql = state.storage.sql;
    migrate(state.storage, SCHEMA);
    this.log = new FrameLog(this.#sql, RETENTION);
    this.timers.add({ due: (now) => this.#nextErrand(now), ring: () => this.#runErrands() });
  }

  /** The user of a connection, as a service wants them. */
  #as({ person, connection }: CommandContext): UserCtx {
    return actingAs(objectContext(this.ctx, this.env), {
      kind: "user",
      id: person.userId,
      username: person.username,
      displayName: person.displayName,
      avatarUrl: person.avatarUrl,
      role: person.role,
      sessionId: connection?.state.sessionId ?? "",
      expiresAt: connection?.state.expiresAt ?? 0,
    });
  }

  protected override opened(_connection: Connection, isFirst: boolean): void {
    if (isFirst) this.#notePresence();
  }

  protected override closed(_connection: Connection, isLast: boolean): void {
    if (isLast) this.#notePresence();
  }

  /** One write after the other, each with what is true by then: the last one to arrive is right. */
  #notePresence(): void {
    const write = () =>
      this.#features.notePresence(objectContext(this.ctx, this.env), this.#userId, this.connections.userCount > 0);
    this.#presence = this.#presence.then(write, write);
    this.ctx.waitUntil(this.#presence);
  }

  get #userId(): number {
    return Number(this.ctx.id.name);
  }

  /** Nothing is awaited: what other objects must be told is noted first, and done afterwards. */
  protected override delivered(payload: unknown, id: number): void {
    const { frames, person, welcome, cut } = HubDelivery.parse(payload);
    const now = Date.now();
    for (const frame of frames) this.broadcast(this.log.append(frame, now, id));
    if (person) this.#spread({ person: { ...person, userId: this.#userId } });
    if (welcome) this.#sql.exec("DELETE FROM cut_offs");
    if (cut) this.#cut(cut, now);
  }

  /** RPC: shows a frame to whoever is connected; it is not logged. */
  push(frame: Frame): void {
    this.broadcast(encodeFrame(frame));
  }

  /** RPC: whether a connection is alive. */
  async isOnline(): Promise<boolean> {
    await this.connections.verify();
    return this.connections.userCount > 0;
  }

  /** RPC: counts a send made over REST, and answers a session to deliver it by. */
  startSend(): SendSession {
    return new SendSession(this, this.charge(this.#userId));
  }

  /**
   * RPC: the user has come into a room. Answers the cut-off that this connection slipped past, if there is one: it was
   * authenticated before, and the room was not known here yet.
   */
  trackRoom(room: RoomRef, by: { sessionId: string; authenticatedAt: number }): StoredRevocation | null {
    this.#sql.exec("INSERT OR IGNORE INTO places (kind, name) VALUES (?, ?)", room.kind, room.name);
    const since = by.authenticatedAt - CLOCK_SKEW_MS;
    for (const row of this.#sql.exec<{ cut: string }>("SELECT cut FROM cut_offs WHERE at >= ?", since)) {
      const cut = StoredRevocation.parse(JSON.parse(row.cut));
      if (cut.sessionId !== undefined && cut.sessionId !== by.sessionId) continue;
      if (cut.exceptSessionId === by.sessionId) continue;
      return cut;
    }
    return null;
  }

  /** RPC: the user's last connection to a room is gone. */
  untrackRoom(room: RoomRef): void {
    this.#sql.exec("DELETE FROM places WHERE kind = ? AND name = ?", room.kind, room.name);
  }

  /** RPC: whether the user is in a room of this kind. */
  isIn(kind: RoomKind): boolean {
    return this.#sql.exec("SELECT 1 FROM places WHERE kind = ? LIMIT 1", kind).toArray().length > 0;
  }

  /** Closes the user's connections here and in every room they are in. */
  #cut(cut: StoredRevocation, now: number): void {
    this.#sql.exec("DELETE FROM cut_offs WHERE at < ?", now - CUT_OFFS_KEPT_MS);
    this.#sql.exec("INSERT INTO cut_offs (at, cut) VALUES (?, ?)", now, JSON.stringify(cut));
    this.#spread({ cut: { ...cut, userId: this.#userId } });
  }

  /** Does it here, and notes it for every room the user is in: a room that cannot be reached now is told later. */
  #spread(errand: Errand): void {
    if (errand.person) this.updatePerson(errand.person);
    this.#sql.exec("INSERT INTO errands (kind, name, errand) SELECT kind, name, ? FROM places", JSON.stringify(errand));
    if (errand.cut) this.revoke(errand.cut);
    this.ctx.waitUntil(this.#runErrands());
  }

  async #runErrands(): Promise<void> {
    const rows = this.#sql.exec<ErrandRow>("SELECT id, kind, name, errand FROM errands ORDER BY id").toArray();
    await Promise.all(rows.map((row) => this.#runErrand(row)));
    this.timers.arm(Date.now());
  }

  async #runErrand({ id, kind, name, errand }: ErrandRow): Promise<void> {
    const { cut, person } = Errand.parse(JSON.parse(errand));
    const rooms = namespaceOf(this.env, RoomKind.parse(kind));
    try {
      if (cut) await callObject(objectContext(this.ctx, this.env), rooms, name, (room) => room.revoke(cut));
      if (person) await callObject(objectContext(this.ctx, this.env), rooms, name, (room) => room.updatePerson(person));
      this.#sql.exec("DELETE FROM errands WHERE id = ?", id);
    } catch (error) {
      logFailure({ requestId: "" }, "hub.errand", error, { kind, name });
    }
  }

  #nextErrand(now: number): number | null {
    const [row] = this.#sql.exec("SELECT 1 FROM errands LIMIT 1").toArray();
    return row ? now + ERRAND_RETRY_MS : null;
  }
}

/** Given to the Worker for the length of one send. */
export class SendSession extends RpcTarget {
  readonly #hub: UserHub;
  readonly #refusedSeconds: number;

  constructor(hub: UserHub, refusedSeconds: number) {
    super();
    this.#hub = hub;
    this.#refusedSeconds = refusedSeconds;
  }

  /** 0, or how long to wait: over the limit. */
  get refusedSeconds(): number {
    return this.#refusedSeconds;
  }

  deliver(deliveries: Delivery[]): Promise<FailedDelivery[]> {
    return this.#hub.deliver(deliveries);
  }
}
