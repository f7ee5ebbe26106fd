import { z } from "zod";
import type { DisconnectReason } from "./application.ts";
import { Handshake } from "./engine/handshake.ts";
import type { Report } from "./engine/layer.ts";
import { UNCONFIRMED } from "./engine/session-store.ts";
import { type EncodedEvent, sizeOf } from "./packets.ts";
import { KeptEvent } from "./replay.ts";
import { Progress, type Socket, SocketRecord } from "./socket.ts";

/** Who wants to go on, and from where. */
export type Claim = {
  pid: string;
  namespace: string;
  principal: string;
  /** The last offset that the client has; null: it never got an event. */
  offset: string | null;
};

const LostRow = z.object({
  socket: SocketRecord,
  /** Where its kept events begin, and its memberships when it was lost. The events are in rows of their own. */
  progress: Progress,
  /** The newest offset that the client can have. Once it is no longer kept, nothing can be recovered. */
  head: z.string().nullable(),
  /** The last row of kept events that is older. */
  after: z.number(),
  handshake: Handshake,
  reason: z.enum(["transport close", "transport error", "ping timeout", "forced server close"]),
  expiresAt: z.number(),
});
export type LostRow = z.infer<typeof LostRow>;
export type RecoverableReason = LostRow["reason"];

/** Events that these sockets were sent, oldest first; all of them, so that a row is written per delivery and not per socket. */
const KeptRow = z.object({
  ids: z.array(z.string()),
  events: z.array(KeptEvent),
  /** Where that leaves them in an object's log. */
  at: z.object({ object: z.string(), position: z.object({ seq: z.number(), epoch: z.string() }) }).nullable(),
});
type KeptRow = z.infer<typeof KeptRow>;

const MovedRow = z.object({ to: z.string(), at: z.number() });

type LostSocket = Pick<LostRow, "progress" | "head" | "after" | "reason" | "expiresAt"> & {
  socket: Socket;
  claimedUntil: number;
};

const LOST_PREFIX = "lost:";
const KEPT_PREFIX = "kept:";
const MOVED_PREFIX = "moved:";
/** Keys of rows sort as they were written. */
const KEY_DIGITS = 12;
/** A row takes 2 MB, and a character up to two bytes of it. */
const MAX_ROW_CHARS = 500_000;

/** How long a claim shuts out others, in milliseconds: time enough for an application to subscribe the socket again. */
const CLAIM_MS = 10_000;
/** After this a pointer whose end nobody reported is dropped, in milliseconds. */
const POINTER_MS = 24 * 60 * 60 * 1000;

type Options = {
  storage: DurableObjectStorage;
  report: Report;
  /** How long a socket is kept, in milliseconds. */
  graceMs: number;
  expired: (socket: Socket, reason: DisconnectReason) => void;
  /** These events are stored from now on. */
  kept?: ((events: readonly KeptEvent[]) => void) | undefined;
};

/** The sockets of one gateway that lost their connection, and pointers to those that moved to another gateway. */
export class LostSockets {
  readonly #options: Options;
  readonly #lost = new Map<string, LostSocket>();
  readonly #pointers = new Map<string, z.infer<typeof MovedRow>>();
  readonly #unsaved = new Set<string>();
  /** Rows of kept events, oldest first: key → when it was written, ms. */
  readonly #kept = new Map<string, number>();
  #lastKey = 0;

  constructor(options: Options) {
    this.#options = options;
  }

  async restore(revive: (row: LostRow) => Socket | null): Promise<void> {
    const { storage } = this.#options;
    const byId = new Map<string, LostSocket>();
    for (const [key, value] of await storage.list({ prefix: LOST_PREFIX })) {
      const row = LostRow.safeParse(value).data;
      const socket = row && revive(row);
      if (!socket) continue;
      const { progress, head, after, reason, expiresAt } = row;
      const lost = { socket, progress, head, after, reason, expiresAt, claimedUntil: 0 };
      byId.set(socket.id, lost);
      this.#lost.set(key.slice(LOST_PREFIX.length), lost);
    }
    for (const [key, value] of await storage.list({ prefix: KEPT_PREFIX })) {
      this.#lastKey = numberOf(key);
      this.#kept.set(key, Date.now());
      const row = KeptRow.safeParse(value).data;
      const receivers = (row?.ids ?? [])
        .flatMap((id) => byId.get(id) ?? [])
        .filter(({ after }) => after < numberOf(key));
      for (const { socket } of receivers) if (row) takeBack(socket, row);
      // How old it is is not known any more; who would be sent it is.
      if (receivers.length === 0) this.#dropKept(key);
    }
    for (const [key, value] of await storage.list({ prefix: MOVED_PREFIX })) {
      const pointer = MovedRow.safeParse(value).data;
      if (pointer) this.#pointers.set(key.slice(MOVED_PREFIX.length), pointer);
    }
  }

  // ── What is kept ──────────────────────────────────────────────────────────────────────────────────────────────────

  keep(socket: Socket, pid: string, reason: RecoverableReason): void {
    const { base = null, head = null, events = [] } = socket.replay ?? {};
    const progress = { ...socket.progress, offset: base };
    const expiresAt = Date.now() + this.#options.graceMs;
    this.#lost.set(pid, { socket, progress, head, after: this.#lastKey, reason, expiresAt, claimedUntil: 0 });
    this.#save(pid);
    this.#keepEvents({ ids: [socket.id], events: [...events], at: null });
  }

  /** Lost sockets were sent events. Who cannot be told all of them any more is given up. */
  delivered(sockets: readonly Socket[], events: KeptEvent[], at: KeptRow["at"]): void {
    if (sockets.length === 0) return;
    this.#keepEvents({ ids: sockets.map(({ id }) => id), events, at });
    for (const { pid } of sockets) {
      const lost = pid === null ? undefined : this.#lost.get(pid);
      if (pid !== null && lost && !lost.socket.replay?.since(lost.head)) this.#expire(pid, lost);
    }
  }

  /** A lost socket has a new state. */
  changed(pid: string): void {
    if (this.#lost.has(pid)) this.#save(pid);
  }

  /** Forgets a lost socket without telling anyone. */
  drop(pid: string): void {
    if (!this.#lost.delete(pid)) return;
    this.#unsaved.delete(pid);
    this.#delete(LOST_PREFIX + pid);
    if (this.#lost.size === 0) for (const key of [...this.#kept.keys()]) this.#dropKept(key);
  }

  /**
   * Deletes what is kept of such events, for ever: who would have been sent one is given up, and begins anew. What is sent to
   * the others stays whole.
   */
  async forget(isMeant: (event: EncodedEvent) => boolean): Promise<void> {
    const names = ({ event }: KeptEvent) => isMeant(event);
    for (const [pid, lost] of [...this.#lost]) {
      if (lost.socket.replay?.events.some(names)) this.#expire(pid, lost);
    }
    for (const [key, value] of await this.#options.storage.list({ prefix: KEPT_PREFIX })) {
      const row = KeptRow.safeParse(value).data;
      if (row && !row.events.some(names)) continue;
      this.#dropKept(key);
      for (const [pid, lost] of [...this.#lost]) {
        if (row?.ids.includes(lost.socket.id) && lost.after < numberOf(key)) this.#expire(pid, lost);
      }
    }
  }

  // ── Who comes back ────────────────────────────────────────────────────────────────────────────────────────────────

  /** Finds a lost socket, and keeps it for the one who asked. Null: there is nothing to go on with. */
  claim(claim: Claim, now: number): Socket | null {
    const lost = this.#lost.get(claim.pid);
    if (!lost || lost.expiresAt <= now || lost.claimedUntil > now) return null;
    const { namespace, principal, replay } = lost.socket;
    // Another user's connection is not theirs to resume, whatever they know about it.
    if (principal !== claim.principal || namespace !== claim.namespace) return null;
    if (!replay?.since(claim.offset)) return null;
    lost.claimedUntil = now + CLAIM_MS;
    lost.expiresAt = Math.max(lost.expiresAt, lost.claimedUntil);
    return lost.socket;
  }

  /** Who claimed the socket has left again: others may have it. */
  release(pid: string): void {
    const lost = this.#lost.get(pid);
    if (lost) lost.claimedUntil = 0;
  }

  get(pid: string): Socket | undefined {
    return this.#lost.get(pid)?.socket;
  }

  /** Where a socket of this home has moved to. */
  pointer(pid: string): string | null {
    return this.#pointers.get(pid)?.to ?? null;
  }

  point(pid: string, to: string | null): void {
    if (to === null) {
      if (this.#pointers.delete(pid)) this.#delete(MOVED_PREFIX + pid);
      return;
    }
    const pointer = { to, at: Date.now() };
    this.#pointers.set(pid, pointer);
    this.#put(MOVED_PREFIX + pid, pointer);
  }

  // ── Time ──────────────────────────────────────────────────────────────────────────────────────────────────────────

  tick(now: number): void {
    for (const [pid, lost] of [...this.#lost]) if (lost.expiresAt <= now) this.#expire(pid, lost);
    for (const [pid, { at }] of [...this.#pointers]) if (now - at >= POINTER_MS) this.point(pid, null);
    const oldest = now - this.#options.graceMs - CLAIM_MS;
    for (const [key, at] of [...this.#kept]) if (at <= oldest) this.#dropKept(key);
  }

  wakesAt(now: number): number | null {
    if (this.#lost.size > 0) return now;
    return this.#pointers.size > 0 ? now + POINTER_MS : null;
  }

  #expire(pid: string, { socket, reason }: LostSocket): void {
    this.drop(pid);
    this.#options.expired(socket, reason);
  }

  // ── Rows ──────────────────────────────────────────────────────────────────────────────────────────────────────────

  #keepEvents({ ids, events, at }: KeptRow): void {
    let from = 0;
    let chars = 0;
    for (const [index, { event }] of events.entries()) {
      const size = sizeOf(event);
      if (chars > 0 && chars + size > MAX_ROW_CHARS) {
        this.#putKept({ ids, events: events.slice(from, index), at: null });
        from = index;
        chars = 0;
      }
      chars += size;
    }
    if (from < events.length || at) this.#putKept({ ids, events: events.slice(from), at });
  }

  #putKept(row: KeptRow): void {
    this.#lastKey += 1;
    const key = KEPT_PREFIX + String(this.#lastKey).padStart(KEY_DIGITS, "0");
    this.#kept.set(key, Date.now());
    this.#put(key, row);
    this.#options.kept?.(row.events);
  }

  #dropKept(key: string): void {
    this.#kept.delete(key);
    this.#delete(key);
  }

  #save(pid: string): void {
    this.#unsaved.add(pid);
    if (this.#unsaved.size === 1) queueMicrotask(() => this.#saveAll());
  }

  #saveAll(): void {
    for (const pid of this.#unsaved) {
      const lost = this.#lost.get(pid);
      if (lost) this.#put(LOST_PREFIX + pid, rowOf(lost));
    }
    this.#unsaved.clear();
  }

  #put(key: string, value: unknown): void {
    const { storage, report } = this.#options;
    storage.put(key, value, UNCONFIRMED).catch((error) => report(error, "keeping a lost socket"));
  }

  #delete(key: string): void {
    const { storage, report } = this.#options;
    storage.delete(key, UNCONFIRMED).catch((error) => report(error, "dropping a lost socket"));
  }
}

const numberOf = (key: string): number => Number(key.slice(KEPT_PREFIX.length));

function takeBack(socket: Socket, { events, at }: KeptRow): void {
  for (const { offset, event } of events) socket.replay?.add(offset, event);
  if (at) socket.memberships.moved(at.object, at.position);
}

function rowOf({ socket, progress, head, after, reason, expiresAt }: LostSocket): LostRow {
  return { socket: socket.record, progress, head, after, handshake: socket.handshake, reason, expiresAt };
}
