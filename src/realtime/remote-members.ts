/**
 * Members of a room whose connection is held by another object: Socket.IO clients in their gateway. To the room they are
 * connections like any other; what goes out to them is one object call per gateway, whatever their number.
 */
import { CLOSE, isRetryable } from "../errors.ts";
import { logFailure } from "../platform/log.ts";
import { Connection } from "./connection.ts";
import { ConnectionState } from "./connection-state.ts";
import { Counter } from "./counter.ts";
import { type FanOutGroup, type Membership, type Outgoing, toFanOutGroups } from "./fan-out.ts";
import { type PutOut, reachGateway } from "./gateways.ts";
import { hasTable } from "./migrations.ts";
import { howToPutOut, PutOuts } from "./put-outs.ts";
import type { Timers } from "./timers.ts";
import type { FrameBatch, Transport } from "./transport.ts";

const ATTEMPTS = 3;
/** With the wake that asks, well under the 75 s within which a vanished client is gone from presence (SPEC 2). */
const VERIFY_EVERY_MS = 60_000;
const SCHEMA =
  "CREATE TABLE IF NOT EXISTS remote_members (id TEXT PRIMARY KEY, gateway TEXT NOT NULL, state TEXT NOT NULL)";

/** One gateway, as seen from a room: what waits to go there, who waits until that is there, and whether a call is on its way. */
type Port = { waiting: Outgoing[]; drained: (() => void)[]; isBusy: boolean };

/** A member of ours, and the gateway that holds it. */
type Held = Membership & { gateway: string };

type Host = {
  state: DurableObjectState;
  env: Env;
  timers: Timers;
  /** A member's gateway does not know it any more. */
  lost(socketId: string): void;
  /** A client that is put out of its user's hub loses its whole connection. */
  isHub(): boolean;
  /** This object: see `objectKey`. */
  object(): string;
  /** Of the log, now. */
  epoch(): string;
};

export class RemoteMembers {
  readonly #host: Host;
  readonly #sql: SqlStorage;
  readonly #ports = new Map<string, Port>();
  readonly #held = new Map<string, Held>();
  readonly #putOuts: PutOuts;
  /** A membership's number: of a client's memberships here, the later one has the greater. */
  readonly #joins: Counter;
  /** Gateway → when it was last asked who is there, ms. */
  readonly #askedAt = new Map<string, number>();

  constructor(host: Host) {
    this.#host = host;
    this.#sql = host.state.storage.sql;
    this.#joins = new Counter(this.#sql, "join_counter");
    this.#putOuts = new PutOuts({ ...host, drained: (gateway) => this.#drained(gateway) });
  }

  /** Those who were here before hibernation. */
  restore(): Connection[] {
    if (!hasTable(this.#sql, "remote_members")) return [];
    const rows = this.#sql
      .exec<{ gateway: string; state: string }>("SELECT gateway, state FROM remote_members")
      .toArray();
    return rows.map(({ gateway, state }) => this.#connect(ConnectionState.parse(JSON.parse(state)), gateway));
  }

  /** A client joins, or, as a member that it is already, has moved to another gateway. One row written. */
  add(state: ConnectionState, gateway: string): Connection {
    this.#sql.exec(SCHEMA);
    const connection = this.#connect(state, gateway);
    connection.save();
    return connection;
  }

  #connect(state: ConnectionState, gateway: string): Connection {
    // One that a release before has let in has no number yet.
    const join = state.join ?? this.#joins.next();
    state.join = join;
    const held = { socketId: state.id, join, gateway };
    this.#held.set(state.id, held);
    return new Connection(state, new RemoteTransport(this, held));
  }

  /**
   * Asks the gateways who of their members is still there: one that crashed or was replaced could tell nobody. Called on
   * wakes that have to do with presence, at most every VERIFY_EVERY_MS; there is no timer for it.
   */
  async verify(now: number): Promise<void> {
    const members = Map.groupBy(this.#held.values(), ({ gateway }) => gateway);
    const due = [...members].filter(([gateway]) => now - (this.#askedAt.get(gateway) ?? 0) >= VERIFY_EVERY_MS);
    await Promise.all(
      due.map(async ([gateway, held]) => {
        this.#askedAt.set(gateway, now);
        try {
          const gone = new Set(
            await this.#deliver(gateway, [{ socketIds: held.map(({ socketId }) => socketId), events: [], at: null }]),
          );
          this.#lost(held.filter(({ socketId }) => gone.has(socketId)));
        } catch (error) {
          logFailure({ requestId: "" }, "remote.verify", error, { gateway });
        }
      }),
    );
  }

  /** Of a member that has come anew or moved since, that says nothing. */
  #lost(members: Iterable<Held>): void {
    for (const { socketId, join, gateway } of members) {
      const held = this.#held.get(socketId);
      if (held?.join === join && held.gateway === gateway) this.#host.lost(socketId);
    }
  }

  /** Resolves when all that was sent to a member until now is with its gateway, or has failed. */
  async drained(socketId: string): Promise<void> {
    const held = this.#held.get(socketId);
    if (held) await this.#drained(held.gateway);
  }

  /** Resolves when all gateways have what they were sent until now, or could not be told. */
  async allDrained(): Promise<void> {
    await Promise.all(Array.from(this.#ports.keys(), (gateway) => this.#drained(gateway)));
  }

  #drained(gateway: string): Promise<void> {
    const port = this.#ports.get(gateway);
    return port ? new Promise((resolve) => port.drained.push(resolve)) : Promise.resolve();
  }

  /** Called by transports. Goes out with whatever else is sent in this turn. */
  push({ gateway, ...member }: Held, batch: FrameBatch): void {
    const port = this.#ports.get(gateway) ?? { waiting: [], drained: [], isBusy: false };
    this.#ports.set(gateway, port);
    // The log may begin anew while it waits.
    port.waiting.push({ member, batch, epoch: this.#host.epoch() });
    if (port.isBusy) return;
    port.isBusy = true;
    this.#host.state.waitUntil(this.#drain(gateway, port));
  }

  /** One call at a time per gateway keeps the order; what comes meanwhile goes with the next one. */
  async #drain(gateway: string, port: Port): Promise<void> {
    // Everything that is sent in this turn belongs into the first call.
    await Promise.resolve();
    while (port.waiting.length > 0 || port.drained.length > 0) {
      const sent = port.waiting.splice(0);
      const drained = port.drained.splice(0);
      if (sent.length > 0) await this.#sendAll(gateway, sent);
      for (const resolve of drained) resolve();
    }
    port.isBusy = false;
    this.#ports.delete(gateway);
  }

  async #sendAll(gateway: string, sent: Outgoing[]): Promise<void> {
    const members = [...new Map(sent.map(({ member }) => [member.join, { ...member, gateway }])).values()];
    try {
      const gone = new Set(await this.#deliver(gateway, toFanOutGroups(sent, this.#host.object())));
      this.#lost(members.filter(({ socketId }) => gone.has(socketId)));
    } catch (error) {
      logFailure({ requestId: "" }, "remote.deliver", error, { gateway });
      this.#giveUp(gateway, members);
    }
  }

  async #deliver(gateway: string, groups: FanOutGroup[]): Promise<string[]> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await reachGateway(this.#host.env, gateway).deliver(groups);
      } catch (error) {
        if (attempt >= ATTEMPTS || !isRetryable(error)) throw error;
      }
    }
  }

  /** Who may have missed something must come back and join again: never a silent gap. */
  #giveUp(gateway: string, members: Held[]): void {
    this.#lost(members);
    this.#putOut(gateway, members, { how: "reset", code: CLOSE.restart, reason: "UNAVAILABLE" });
  }

  #putOut(gateway: string, members: Membership[], putOut: Pick<PutOut, "how" | "code" | "reason">): void {
    const named = members.map(({ socketId, join }) => ({ socketId, join }));
    this.#putOuts.add(gateway, { object: this.#host.object(), members: named, ...putOut });
  }

  save(state: ConnectionState, gateway: string): void {
    this.#sql.exec(
      "INSERT INTO remote_members (id, gateway, state) VALUES (?, ?, ?) ON CONFLICT (id) DO UPDATE SET gateway = excluded.gateway, state = excluded.state",
      state.id,
      gateway,
      JSON.stringify(state),
    );
  }

  remove(socketId: string): void {
    this.#held.delete(socketId);
    this.#sql.exec("DELETE FROM remote_members WHERE id = ?", socketId);
  }

  /** The room has put this member out. Who left by themselves need not be told. */
  closed(held: Held, code: number, reason: string): void {
    this.remove(held.socketId);
    if (code !== 1000) {
      this.#putOut(held.gateway, [held], { how: howToPutOut(code, this.#host.isHub()), code, reason });
    }
  }
}

/** A connection that its gateway watches over: heartbeats and closes are told from there. */
class RemoteTransport implements Transport {
  readonly kind = "gateway";
  readonly #members: RemoteMembers;
  readonly #held: Held;
  #saved = "";

  constructor(members: RemoteMembers, held: Held) {
    this.#members = members;
    this.#held = held;
  }

  send(batch: FrameBatch): void {
    this.#members.push(this.#held, batch);
  }

  close(code: number, reason: string): void {
    this.#members.closed(this.#held, code, reason);
  }

  /** A row, so only when something changed that must survive: not for every frame that is counted. */
  save(state: ConnectionState): void {
    const { spent: _spent, lastSeenAt: _sign, ...lasting } = state;
    const text = JSON.stringify(lasting);
    if (text === this.#saved) return;
    this.#saved = text;
    this.#members.save(state, this.#held.gateway);
  }

  lastBeatAt(): number {
    return Number.MAX_SAFE_INTEGER;
  }
}
