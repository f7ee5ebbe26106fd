/**
 * A stream's audience objects, as its room sees them: each is told once what its viewers get, whatever their number. The
 * room's cost of a message grows with them alone.
 */
import { AppError } from "../../../errors.ts";
import { logFailure } from "../../../platform/log.ts";
import { callObject, objectCaller } from "../../../platform/objects.ts";
import type { Region } from "../../../platform/regions.ts";
import type { EncodedFrame } from "../../../realtime/encoded-frame.ts";
import type { Timers } from "../../../realtime/timers.ts";
import { Assignments } from "./assignments.ts";
import { type Attendance, audienceName, type Order, type Relay, type Subscription } from "./relay.ts";

/** A later migration of the room's object: those who hear it, and how many they held when they last said so. */
export const AUDIENCES_SCHEMA = `
  CREATE TABLE audiences (
    name TEXT PRIMARY KEY, subscription INTEGER NOT NULL, people INTEGER NOT NULL, sockets INTEGER NOT NULL
  ) WITHOUT ROWID;
`;

/** One that could not be told is tried again after this time, and then after twice that; what it missed it asks for. */
const RETRY_MS = { first: 2000, most: 60_000 };
/** Of the frames that are in no log, so many are said again, the newest. */
const MOST_UNSAID = 200;

type Audience = Attendance & {
  name: string;
  /** Which of its beginnings this is: an answer to an earlier one says nothing of it. */
  subscription: number;
  waiting: Relay | null;
  /** What the log does not tell, and could not be said. */
  unsaid: Order[];
  isBusy: boolean;
  drained: (() => void)[];
  retryAt: number | null;
  waitMs: number;
  /** Who is there is not known any more. */
  isUnknown: boolean;
};

type Host = {
  state: DurableObjectState;
  env: Env;
  timers: Timers;
  streamId(): number;
  /** Where the log stands. */
  position(): Subscription;
  /** How many viewers one object holds. */
  most(): number;
  /** Somebody came or went. */
  changed(): void;
};

export class Audiences {
  readonly #host: Host;
  readonly #sql: SqlStorage;
  readonly #all = new Map<string, Audience>();
  readonly #assignments = new Assignments();

  constructor(host: Host) {
    this.#host = host;
    this.#sql = host.state.storage.sql;
    const rows = this.#sql
      .exec<{ name: string; subscription: number; people: number; sockets: number }>("SELECT * FROM audiences")
      .toArray();
    // What was on its way when this object went to sleep, or died, may be lost: each compares where it stands, and forgets.
    const now = Date.now();
    for (const row of rows) {
      const again = { unsaid: [{ do: "forget" } as const], retryAt: now, isUnknown: true };
      this.#all.set(row.name, { ...newAudience(), ...row, ...again });
    }
    host.timers.add({ due: () => this.#due(), ring: (at) => this.#ring(at) });
    if (rows.length > 0) host.timers.arm(now);
  }

  /** The people in all of them. */
  get people(): number {
    let people = 0;
    for (const audience of this.#all.values()) people += audience.people;
    return people;
  }

  /** The audience object that this user is assigned to, as far as is known. */
  audienceOf(userId: number): string | undefined {
    const name = this.#assignments.of(userId);
    return name !== undefined && this.#all.has(name) ? name : undefined;
  }

  /** The audience object for a viewer of a region: the one they are assigned to already, or the first with space. */
  assign(userId: number, region: Region): string {
    const audience = this.#named(this.audienceOf(userId) ?? this.#freeIn(region));
    // Counted at once: a thousand may come before it can say that they are there.
    audience.sockets += 1;
    this.#assignments.assign(userId, audience.name);
    return audience.name;
  }

  #freeIn(region: Region): string {
    for (let number = 0; ; number += 1) {
      const { name, sockets } = this.#named(audienceName(this.#host.streamId(), region, number));
      if (sockets < this.#host.most()) return name;
    }
  }

  #named(name: string): Audience {
    const audience = this.#all.get(name) ?? { ...newAudience(), name };
    this.#all.set(name, audience);
    return audience;
  }

  /** Those that hear the room; others only have somebody assigned to them. */
  get #hearing(): Audience[] {
    return [...this.#all.values()].filter(({ subscription }) => subscription > 0);
  }

  /** An audience object hears the room from now on. One row written. */
  subscribe(name: string): Subscription {
    const audience = this.#named(name);
    audience.subscription += 1;
    if (audience.unsaid.length === 0) audience.retryAt = null;
    audience.waitMs = RETRY_MS.first;
    this.#save(audience);
    return this.#host.position();
  }

  /** An audience object tells how many it holds. */
  attended(name: string, attendance: Attendance): void {
    const audience = this.#all.get(name);
    if (!audience) return;
    const isNews = audience.people !== attendance.people;
    Object.assign(audience, attendance);
    if (!isNews) return;
    this.#save(audience);
    this.#host.changed();
  }

  /** To everybody there. */
  relay({ text, seq }: EncodedFrame): void {
    this.#order({ do: "send", text, seq });
  }

  /** To one user, in whichever of them they are. */
  relayTo(userId: number, { text }: EncodedFrame): void {
    this.#order({ do: "send", text, seq: 0, to: userId });
  }

  /** What was said before is not to be replayed as it was. */
  forgetPast(): void {
    this.#order({ do: "forget" });
  }

  /** Everybody has to go. */
  close(code: number, reason: string): void {
    this.#order({ do: "close", code, reason });
  }

  /** Resolves when this audience object has heard what was said until now, or could not be told. */
  drained(name: string): Promise<void> {
    const audience = this.#all.get(name);
    if (!audience?.isBusy) return Promise.resolve();
    return new Promise((resolve) => audience.drained.push(resolve));
  }

  /** Resolves when all have heard what was said until now. @throws AppError UNAVAILABLE one could not be told */
  async allTold(): Promise<void> {
    await Promise.all(Array.from(this.#all.keys(), (name) => this.drained(name)));
    for (const { unsaid } of this.#all.values()) if (unsaid.length > 0) throw new AppError("UNAVAILABLE");
  }

  #order(order: Order): void {
    const hearing = this.#hearing;
    if (hearing.length === 0) return;
    const { epoch, head } = this.#host.position();
    for (const audience of hearing) {
      const before = seqOf(order) > 0 ? seqOf(order) - 1 : head;
      this.#nextRelay(audience, { epoch, before }).orders.push(order);
      this.#wake(audience);
    }
  }

  /** What the next call carries; what could not be said goes first. */
  #nextRelay(audience: Audience, at: Omit<Relay, "orders">): Relay {
    audience.waiting ??= { ...at, orders: audience.unsaid.splice(0) };
    return audience.waiting;
  }

  #wake(audience: Audience): void {
    if (audience.isBusy) return;
    audience.isBusy = true;
    this.#host.state.waitUntil(this.#drain(audience));
  }

  /** One call at a time keeps the order; what comes meanwhile goes with the next one. */
  async #drain(audience: Audience): Promise<void> {
    // What is said before the next microtask goes with the first call.
    await Promise.resolve();
    for (;;) {
      const { waiting: relay } = audience;
      const drained = audience.drained.splice(0);
      audience.waiting = null;
      if (relay) await this.#tell(audience, relay);
      for (const resolve of drained) resolve();
      if (!audience.waiting && audience.drained.length === 0) break;
    }
    audience.isBusy = false;
  }

  async #tell(audience: Audience, relay: Relay): Promise<void> {
    const { env } = this.#host;
    const { name, subscription } = audience;
    try {
      const { users, ...attendance } = await callObject(objectCaller(env), env.STREAM_AUDIENCE, name, (object) =>
        object.relay({ ...relay, asksWho: audience.isUnknown }),
      );
      Object.assign(audience, { retryAt: null, waitMs: RETRY_MS.first, isUnknown: false });
      for (const userId of users ?? []) this.#assignments.assign(userId, name);
      if (attendance.sockets === 0 && audience.subscription === subscription) this.#forget(audience);
      else this.attended(name, attendance);
    } catch (error) {
      logFailure({ requestId: "" }, "audience.relay", error, { audience: name });
      const unsaid = relay.orders
        .filter((order) => seqOf(order) === 0)
        .filter((order, index, { length }) => order.do !== "send" || index >= length - MOST_UNSAID);
      if (audience.waiting) audience.waiting.orders.unshift(...unsaid);
      else audience.unsaid = unsaid;
      audience.retryAt = Date.now() + audience.waitMs;
      audience.waitMs = Math.min(RETRY_MS.most, audience.waitMs * 2);
      this.#host.timers.arm(Date.now());
    }
  }

  /** Nobody is there: it hears nothing until it subscribes anew. */
  #forget(audience: Audience): void {
    this.#all.delete(audience.name);
    this.#sql.exec("DELETE FROM audiences WHERE name = ?", audience.name);
    if (audience.people > 0) this.#host.changed();
  }

  #save({ name, subscription, people, sockets }: Audience): void {
    this.#sql.exec(
      `INSERT INTO audiences (name, subscription, people, sockets) VALUES (?, ?, ?, ?)
       ON CONFLICT (name) DO UPDATE SET subscription = excluded.subscription, people = excluded.people, sockets = excluded.sockets`,
      name,
      subscription,
      people,
      sockets,
    );
  }

  #due(): number | null {
    let next = Number.POSITIVE_INFINITY;
    for (const { retryAt } of this.#all.values()) next = Math.min(next, retryAt ?? next);
    return Number.isFinite(next) ? next : null;
  }

  /** A call with nothing in it but where the log stands: who is behind asks for the rest. */
  #ring(now: number): void {
    const { epoch, head } = this.#host.position();
    for (const audience of this.#hearing) {
      if (audience.retryAt === null || audience.retryAt > now) continue;
      audience.retryAt = null;
      this.#nextRelay(audience, { epoch, before: head });
      this.#wake(audience);
    }
  }
}

/** Its position in the log, where whoever missed it finds it; 0: it has none. */
const seqOf = (order: Order): number => (order.do === "send" ? order.seq : 0);

const newAudience = (): Audience => ({
  name: "",
  subscription: 0,
  people: 0,
  sockets: 0,
  waiting: null,
  unsaid: [],
  isBusy: false,
  drained: [],
  retryAt: null,
  waitMs: RETRY_MS.first,
  isUnknown: false,
});
