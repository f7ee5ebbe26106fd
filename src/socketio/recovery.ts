import { z } from "zod";
import type { DisconnectReason } from "./application.ts";
import type { Report } from "./engine-layer.ts";
import { Handshake } from "./handshake.ts";
import { type KeptEvent, Replay, ReplayRecord } from "./replay.ts";
import { UNCONFIRMED } from "./session-store.ts";
import { type Socket, SocketRecord } from "./socket.ts";

/** Who wants to go on, and from where. */
export interface Claim {
  pid: string;
  namespace: string;
  principal: string;
  /** The last offset that the client has; null: it never got an event. */
  offset: string | null;
}

/** What a gateway answers to a claim: the socket is here, or it once moved on. `state` is JSON. */
export type Located = { id: string; state: string } | { movedTo: string };

/** What the gateways ask of each other, by RPC. */
export interface RecoveryPeer {
  /** Finds a lost socket, and keeps it for the one who asked. Null: nothing to go on with. */
  locate(claim: Claim): Promise<Located | null>;
  /** Gives the socket away: all events after `offset`. Null: it is gone, or an event is. */
  surrender(pid: string, offset: string | null): Promise<KeptEvent[] | null>;
  /** Tells a pid's home where the socket is now; null: it is gone for good. */
  moved(pid: string, to: string | null): Promise<void>;
}

const LostRow = z.object({
  socket: SocketRecord,
  handshake: Handshake,
  replay: ReplayRecord,
  reason: z.enum(["transport close", "transport error", "ping timeout", "forced server close"]),
  expiresAt: z.number(),
});
export type LostRow = z.infer<typeof LostRow>;
export type RecoverableReason = LostRow["reason"];

const MovedRow = z.object({ to: z.string(), at: z.number() });

interface LostSocket {
  socket: Socket;
  reason: RecoverableReason;
  expiresAt: number;
  /** The newest offset that the client can have. Once it is no longer kept, nothing can be recovered. */
  head: string | null;
  claimedUntil: number;
}

const LOST_PREFIX = "lost:";
const MOVED_PREFIX = "moved:";

/** How long a claim shuts out others, in milliseconds: time enough for an application to subscribe the socket again. */
const CLAIM_MS = 10_000;
/** After this a pointer whose end nobody reported is dropped, in milliseconds. */
const POINTER_MS = 24 * 60 * 60 * 1000;

/** The sockets of one gateway that lost their connection, and pointers to those that moved to another gateway. */
export class Recovery {
  private readonly lost = new Map<string, LostSocket>();
  private readonly pointers = new Map<string, z.infer<typeof MovedRow>>();
  private readonly unsaved = new Set<string>();

  constructor(
    private readonly storage: DurableObjectStorage,
    private readonly report: Report,
    /** How long a socket is kept, in milliseconds. */
    private readonly graceMs: number,
    private readonly expired: (socket: Socket, reason: DisconnectReason) => void,
  ) {}

  async restore(revive: (row: LostRow) => Socket): Promise<void> {
    for (const [key, value] of await this.storage.list({ prefix: LOST_PREFIX })) {
      const row = LostRow.safeParse(value).data;
      if (!row) continue;
      const socket = revive(row);
      socket.replay = Replay.from(row.replay);
      const { reason, expiresAt } = row;
      this.lost.set(key.slice(LOST_PREFIX.length), {
        socket,
        reason,
        expiresAt,
        head: row.socket.offset,
        claimedUntil: 0,
      });
    }
    for (const [key, value] of await this.storage.list({ prefix: MOVED_PREFIX })) {
      const pointer = MovedRow.safeParse(value).data;
      if (pointer) this.pointers.set(key.slice(MOVED_PREFIX.length), pointer);
    }
  }

  keep(socket: Socket, pid: string, reason: RecoverableReason): void {
    const head = socket.replay?.head ?? null;
    this.lost.set(pid, { socket, reason, expiresAt: Date.now() + this.graceMs, head, claimedUntil: 0 });
    this.save(pid);
  }

  /** A lost socket was sent another event, or has a new state. */
  changed(pid: string): void {
    const lost = this.lost.get(pid);
    if (!lost) return;
    if (lost.socket.replay?.since(lost.head) === null) this.expire(pid, lost);
    else this.save(pid);
  }

  /** Forgets a lost socket without telling anyone. */
  drop(pid: string): void {
    if (!this.lost.delete(pid)) return;
    this.unsaved.delete(pid);
    this.delete(LOST_PREFIX + pid);
  }

  locate(claim: Claim, now: number): Located | null {
    const pointer = this.pointers.get(claim.pid);
    if (pointer) return { movedTo: pointer.to };
    const lost = this.lost.get(claim.pid);
    if (!lost || lost.expiresAt <= now || lost.claimedUntil > now) return null;
    const { id, namespace, principal, state, replay } = lost.socket;
    // Another user's connection is not theirs to resume, whatever they know about it.
    if (principal !== claim.principal || namespace !== claim.namespace) return null;
    if (!replay?.since(claim.offset)) return null;
    lost.claimedUntil = now + CLAIM_MS;
    lost.expiresAt = Math.max(lost.expiresAt, lost.claimedUntil);
    return { id, state: JSON.stringify(state) };
  }

  /** The socket, which is kept no longer, and what it was sent after `offset` (null if that is not known any more). */
  surrender(pid: string, offset: string | null): { socket: Socket; missed: KeptEvent[] | null } | null {
    const lost = this.lost.get(pid);
    if (!lost) return null;
    this.drop(pid);
    return { socket: lost.socket, missed: lost.socket.replay?.since(offset) ?? null };
  }

  point(pid: string, to: string | null): void {
    if (to === null) {
      if (this.pointers.delete(pid)) this.delete(MOVED_PREFIX + pid);
      return;
    }
    const pointer = { to, at: Date.now() };
    this.pointers.set(pid, pointer);
    this.put(MOVED_PREFIX + pid, pointer);
  }

  tick(now: number): void {
    for (const [pid, lost] of [...this.lost]) if (lost.expiresAt <= now) this.expire(pid, lost);
    for (const [pid, { at }] of [...this.pointers]) if (now - at >= POINTER_MS) this.point(pid, null);
  }

  wakesAt(now: number): number | null {
    if (this.lost.size > 0) return now;
    return this.pointers.size > 0 ? now + POINTER_MS : null;
  }

  private expire(pid: string, { socket, reason }: LostSocket): void {
    this.drop(pid);
    this.expired(socket, reason);
  }

  private save(pid: string): void {
    this.unsaved.add(pid);
    if (this.unsaved.size === 1) queueMicrotask(() => this.saveAll());
  }

  private saveAll(): void {
    for (const pid of this.unsaved) {
      const lost = this.lost.get(pid);
      if (lost?.socket.replay) this.put(LOST_PREFIX + pid, rowOf(lost, lost.socket.replay));
    }
    this.unsaved.clear();
  }

  private put(key: string, value: unknown): void {
    this.storage.put(key, value, UNCONFIRMED).catch((error) => this.report(error, "keeping a lost socket"));
  }

  private delete(key: string): void {
    this.storage.delete(key, UNCONFIRMED).catch((error) => this.report(error, "dropping a lost socket"));
  }
}

function rowOf({ socket, reason, expiresAt, head }: LostSocket, replay: Replay): LostRow {
  const record = { ...socket.record, offset: head };
  return { socket: record, handshake: socket.handshake, replay: replay.record, reason, expiresAt };
}
