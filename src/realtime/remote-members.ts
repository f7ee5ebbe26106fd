/**
 * Members of a room whose connection is held by another object: Socket.IO clients in their gateway. To the room they are
 * connections like any other; what goes out to them is one object call per gateway, whatever their number.
 */
import { CLOSE } from "../errors.ts";
import { logFailure } from "../platform/log.ts";
import { Connection } from "./connection.ts";
import { ConnectionState } from "./connection-state.ts";
import { type FanOutGroup, type LogMark, toFanOutGroups } from "./fan-out.ts";
import { hasTable } from "./migrations.ts";
import type { FrameBatch, Transport } from "./transport.ts";

/** What a room needs of a gateway. */
export interface Gateway {
  /** Sends in order. Answers the ids that are not there any more. */
  deliver(groups: FanOutGroup[]): Promise<string[]>;
  /** Puts clients out for good: they do not come back by themselves. */
  disconnect(socketIds: string[]): Promise<unknown>;
  /** Breaks connections, so that their clients come back, and join again. */
  reset(socketIds: string[]): Promise<unknown>;
  /** A client was put out of one room, and stays connected. `object`: the room's; `code`, `reason`: of a native close. */
  expel(socketId: string, object: string, code: number, reason: string): Promise<unknown>;
}

let reach: ((env: Env, address: string) => Gateway) | undefined;

/** Says how gateways are reached. Called once, by whoever makes them; rooms need not know what they are. */
export function reachGatewaysBy(finder: (env: Env, address: string) => Gateway): void {
  reach = finder;
}

const ATTEMPTS = 3;
/** With the wake that asks, well under the 75 s within which a vanished client is gone from presence (SPEC 2). */
const VERIFY_EVERY_MS = 60_000;
const SCHEMA =
  "CREATE TABLE IF NOT EXISTS remote_members (id TEXT PRIMARY KEY, gateway TEXT NOT NULL, state TEXT NOT NULL)";

/** One gateway, as seen from a room: what waits to go there, who waits until that is there, and whether a call is on its way. */
type Port = {
  waiting: { socketId: string; batch: FrameBatch }[];
  leaving: Leaving[];
  drained: (() => void)[];
  isBusy: boolean;
};
type Leaving = { socketId: string; code: number; reason: string };

/** Codes after which a client should come back at once (SPEC 2). */
const COME_BACK: ReadonlySet<number> = new Set([CLOSE.restart, CLOSE.heartbeatMissed, CLOSE.tooSlow]);

/** Codes that mean the client, not its stay in one room: they end its whole connection. */
const ENDS_CONNECTION: ReadonlySet<number> = new Set([CLOSE.unauthorized, CLOSE.rateLimit, CLOSE.restart]);

type RoomOfMembers = {
  /** A member's gateway does not know it any more. */
  lost(socketId: string): void;
  /** A client that is put out of its user's hub loses its whole connection. */
  isHub(): boolean;
  /** What it logs, and under which epoch. */
  log(): Omit<LogMark, "seq">;
};

export class RemoteMembers {
  readonly #state: DurableObjectState;
  readonly #env: Env;
  readonly #ports = new Map<string, Port>();
  readonly #room: RoomOfMembers;
  /** Member → the gateway that holds it. */
  readonly #gateways = new Map<string, string>();
  /** Gateway → when it was last asked who is there, ms. */
  readonly #askedAt = new Map<string, number>();

  constructor(state: DurableObjectState, env: Env, room: RoomOfMembers) {
    this.#state = state;
    this.#env = env;
    this.#room = room;
  }

  /** Those who were here before hibernation. */
  restore(): Connection[] {
    const { sql } = this.#state.storage;
    if (!hasTable(sql, "remote_members")) return [];
    const rows = sql.exec<{ gateway: string; state: string }>("SELECT gateway, state FROM remote_members").toArray();
    return rows.map(({ gateway, state }) => this.#connect(ConnectionState.parse(JSON.parse(state)), gateway));
  }

  /** A client joins, or has moved to another gateway under its id. One row written. */
  add(state: ConnectionState, gateway: string): Connection {
    const { sql } = this.#state.storage;
    sql.exec(SCHEMA);
    const connection = this.#connect(state, gateway);
    connection.save();
    return connection;
  }

  #connect(state: ConnectionState, gateway: string): Connection {
    this.#gateways.set(state.id, gateway);
    return new Connection(state, new RemoteTransport(this, state.id, gateway));
  }

  /**
   * Asks the gateways who of their members is still there: one that crashed or was replaced could tell nobody. Called on
   * wakes that have to do with presence, at most every VERIFY_EVERY_MS; there is no timer for it.
   */
  async verify(now: number): Promise<void> {
    const members = Map.groupBy(this.#gateways, ([, gateway]) => gateway);
    const due = [...members].filter(([gateway]) => now - (this.#askedAt.get(gateway) ?? 0) >= VERIFY_EVERY_MS);
    await Promise.all(
      due.map(async ([gateway, held]) => {
        this.#askedAt.set(gateway, now);
        try {
          const gone = await this.#deliver(gateway, [
            { socketIds: held.map(([socketId]) => socketId), events: [], at: null },
          ]);
          this.#lost(gateway, gone);
        } catch (error) {
          logFailure({ requestId: "" }, "remote.verify", error, { gateway });
        }
      }),
    );
  }

  /** A gateway that a member has left for another says nothing about where it is now. */
  #lost(gateway: string, socketIds: Iterable<string>): void {
    for (const socketId of socketIds) if (this.#gateways.get(socketId) === gateway) this.#room.lost(socketId);
  }

  /** Resolves when all that was sent to a member until now is with its gateway, or has failed. */
  drained(socketId: string): Promise<void> {
    const gateway = this.#gateways.get(socketId);
    const port = gateway === undefined ? undefined : this.#ports.get(gateway);
    return port ? new Promise((resolve) => port.drained.push(resolve)) : Promise.resolve();
  }

  /** Called by transports. Goes out with whatever else is sent in this turn. */
  push(gateway: string, socketId: string, batch: FrameBatch): void {
    this.#use(gateway, (port) => port.waiting.push({ socketId, batch }));
  }

  #use(gateway: string, add: (port: Port) => void): void {
    const port = this.#ports.get(gateway) ?? { waiting: [], leaving: [], drained: [], isBusy: false };
    this.#ports.set(gateway, port);
    add(port);
    if (port.isBusy) return;
    port.isBusy = true;
    this.#state.waitUntil(this.#drain(gateway, port));
  }

  /** One call at a time per gateway keeps the order; what comes meanwhile goes with the next one. */
  async #drain(gateway: string, port: Port): Promise<void> {
    // Everything that is sent in this turn belongs into the first call.
    await Promise.resolve();
    while (port.waiting.length > 0 || port.leaving.length > 0 || port.drained.length > 0) {
      const sent = port.waiting.splice(0);
      // After what they were still sent: a ban's notice before the ban.
      const leaving = port.leaving.splice(0);
      const drained = port.drained.splice(0);
      if (sent.length > 0) await this.#sendAll(gateway, sent);
      await Promise.all(leaving.map((one) => this.#putOut(gateway, one)));
      for (const resolve of drained) resolve();
    }
    port.isBusy = false;
    this.#ports.delete(gateway);
  }

  async #sendAll(gateway: string, sent: Port["waiting"]): Promise<void> {
    try {
      this.#lost(gateway, await this.#deliver(gateway, toFanOutGroups(sent, this.#room.log())));
    } catch (error) {
      logFailure({ requestId: "" }, "remote.deliver", error, { gateway });
      await this.#giveUp(gateway, [...new Set(sent.map(({ socketId }) => socketId))]);
    }
  }

  async #putOut(gateway: string, { socketId, code, reason }: Leaving): Promise<void> {
    // Who left by themselves need not be told.
    if (code === 1000) return;
    try {
      const at = this.#reach(gateway);
      if (!this.#room.isHub() && !ENDS_CONNECTION.has(code))
        await at.expel(socketId, this.#state.id.name ?? "", code, reason);
      else if (COME_BACK.has(code)) await at.reset([socketId]);
      else await at.disconnect([socketId]);
    } catch (error) {
      logFailure({ requestId: "" }, "remote.putOut", error, { gateway, code });
    }
  }

  async #deliver(gateway: string, groups: FanOutGroup[]): Promise<string[]> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.#reach(gateway).deliver(groups);
      } catch (error) {
        const isOver = attempt >= ATTEMPTS || !(error instanceof Error && "retryable" in error && error.retryable);
        if (isOver || (error instanceof Error && "overloaded" in error && error.overloaded)) throw error;
      }
    }
  }

  /** Who may have missed something must come back and join again: never a silent gap. */
  async #giveUp(gateway: string, socketIds: string[]): Promise<void> {
    this.#lost(gateway, socketIds);
    await this.#reach(gateway)
      .reset(socketIds)
      .catch((error) => logFailure({ requestId: "" }, "remote.reset", error, { gateway }));
  }

  #reach(gateway: string): Gateway {
    if (!reach) throw new Error("No gateways are set up");
    return reach(this.#env, gateway);
  }

  save(state: ConnectionState, gateway: string): void {
    this.#state.storage.sql.exec(
      "INSERT INTO remote_members (id, gateway, state) VALUES (?, ?, ?) ON CONFLICT (id) DO UPDATE SET gateway = excluded.gateway, state = excluded.state",
      state.id,
      gateway,
      JSON.stringify(state),
    );
  }

  remove(socketId: string): void {
    this.#gateways.delete(socketId);
    this.#state.storage.sql.exec("DELETE FROM remote_members WHERE id = ?", socketId);
  }

  /** The room has put this member out. */
  closed(gateway: string, leaving: Leaving): void {
    this.remove(leaving.socketId);
    this.#use(gateway, (port) => port.leaving.push(leaving));
  }
}

/** A connection that its gateway watches over: heartbeats and closes are told from there. */
class RemoteTransport implements Transport {
  readonly kind = "gateway";
  readonly #members: RemoteMembers;
  readonly #socketId: string;
  readonly #gateway: string;
  #saved = "";

  constructor(members: RemoteMembers, socketId: string, gateway: string) {
    this.#members = members;
    this.#socketId = socketId;
    this.#gateway = gateway;
  }

  send(batch: FrameBatch): void {
    this.#members.push(this.#gateway, this.#socketId, batch);
  }

  close(code: number, reason: string): void {
    this.#members.closed(this.#gateway, { socketId: this.#socketId, code, reason });
  }

  /** A row, so only when something changed that must survive: not for every frame that is counted. */
  save(state: ConnectionState): void {
    const { spent: _spent, lastSeenAt: _sign, ...lasting } = state;
    const text = JSON.stringify(lasting);
    if (text === this.#saved) return;
    this.#saved = text;
    this.#members.save(state, this.#gateway);
  }

  lastBeatAt(): number {
    return Number.MAX_SAFE_INTEGER;
  }
}
