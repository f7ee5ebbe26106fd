/**
 * Members of a room whose connection is held by another object: Socket.IO clients in their gateway. To the room they are
 * connections like any other; what goes out to them is one object call per gateway, whatever their number.
 */
import { CLOSE } from "../errors.ts";
import { logFailure } from "../platform/log.ts";
import { Connection } from "./connection.ts";
import { ConnectionState } from "./connection-state.ts";
import { Counter } from "./counter.ts";
import type { Membership, Position } from "./fan-out.ts";
import { deliverTo, GatewayQueues, type Held, RemoteTransport } from "./gateway-queues.ts";
import type { PutOut } from "./gateways.ts";
import { hasTable } from "./migrations.ts";
import { howToPutOut, PutOuts } from "./put-outs.ts";
import type { Timers } from "./timers.ts";

/** With the wake that asks, well under the 75 s within which a vanished client is gone from presence (SPEC 2). */
const VERIFY_EVERY_MS = 60_000;
const SCHEMA =
  "CREATE TABLE IF NOT EXISTS remote_members (id TEXT PRIMARY KEY, gateway TEXT NOT NULL, state TEXT NOT NULL)";

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
  /** Where the log stands now. */
  position(): Position;
};

export class RemoteMembers {
  readonly #host: Host;
  readonly #sql: SqlStorage;
  readonly #queues: GatewayQueues;
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
    this.#queues = new GatewayQueues({
      ...host,
      gone: (gateway, members) => this.#lost(gateway, members),
      givenUp: (gateway, members) => this.#giveUp(gateway, members),
    });
    this.#putOuts = new PutOuts({ ...host, drained: (gateway) => this.#queues.drained(gateway) });
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
    return new Connection(state, new RemoteTransport(this.#queues, held, this));
  }

  /**
   * Asks the gateways who of their members is still there, and tells them where the log stands: one that crashed or was
   * replaced could tell nobody, and what this object had to say when it crashed itself is said by nobody. Called on wakes that
   * have to do with presence, at most every VERIFY_EVERY_MS; there is no timer for it.
   */
  async verify(now: number): Promise<void> {
    const members = Map.groupBy(this.#held.values(), ({ gateway }) => gateway);
    const due = [...members].filter(([gateway]) => now - (this.#askedAt.get(gateway) ?? 0) >= VERIFY_EVERY_MS);
    await Promise.all(
      due.map(async ([gateway, held]) => {
        this.#askedAt.set(gateway, now);
        const socketIds = held.map(({ socketId }) => socketId);
        const object = this.#host.object();
        const as = { object, joins: held.map(({ join }) => join) };
        // Of what is still on its way there, that would say too much.
        const at = this.#queues.isIdle(gateway) ? { object, ...this.#host.position(), seqs: [] } : null;
        try {
          const gone = new Set(await deliverTo(this.#host.env, gateway, [{ socketIds, as, events: [], at }]));
          this.#lost(
            gateway,
            held.filter(({ socketId }) => gone.has(socketId)),
          );
        } catch (error) {
          logFailure({ requestId: "" }, "remote.verify", error, { gateway });
        }
      }),
    );
  }

  /** Of a member that has come anew or moved since, that says nothing. */
  #lost(gateway: string, members: Iterable<Membership>): void {
    for (const { socketId, join } of members) {
      const held = this.#held.get(socketId);
      if (held?.join === join && held.gateway === gateway) this.#host.lost(socketId);
    }
  }

  /** Resolves when all that was sent to a member until now is with its gateway, or has failed. */
  async drained(socketId: string): Promise<void> {
    const held = this.#held.get(socketId);
    if (held) await this.#queues.drained(held.gateway);
  }

  /** Resolves when all gateways have what they were sent until now, or could not be told. */
  allDrained(): Promise<void> {
    return this.#queues.allDrained();
  }

  /** Who may have missed something must come back and join again: never a silent gap. */
  #giveUp(gateway: string, members: Membership[]): void {
    this.#lost(gateway, members);
    this.#putOut(gateway, members, { how: "reset", code: CLOSE.restart, reason: "UNAVAILABLE" });
  }

  #putOut(gateway: string, members: Membership[], putOut: Pick<PutOut, "how" | "code" | "reason">): void {
    this.#putOuts.add(gateway, { object: this.#host.object(), members, ...putOut });
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
      const { socketId, join, gateway } = held;
      this.#putOut(gateway, [{ socketId, join }], { how: howToPutOut(code, this.#host.isHub()), code, reason });
    }
  }
}
