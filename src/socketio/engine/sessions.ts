import { CLOSE as CODES } from "../../errors.ts";
import type { MaybePromise } from "../../platform/promise.ts";
import { Timers } from "../../realtime/timers.ts";
import { CLOSE, NOOP } from "../packets.ts";
import type { EngineSettings } from "../settings.ts";
import type { Handshake } from "./handshake.ts";
import type { CloseReason, EngineLayer, Report } from "./layer.ts";
import { Polling } from "./polling.ts";
import { Session, type SessionHost } from "./session.ts";
import { recordOf } from "./session-record.ts";
import { type Attachment, attachmentOf, SessionSockets, SessionStore } from "./session-store.ts";
import { SlowSessions } from "./slow-sessions.ts";
import { Upgrades } from "./upgrades.ts";

/** How long the end of a polling session waits for a GET that the client sent before it, in milliseconds. */
const LEAVING_MS = 50;

export type EngineOptions = { settings: EngineSettings; layer: EngineLayer; report: Report };

/** The sessions of one object: how they begin, are kept, are pinged, and end. */
export class Sessions implements SessionHost {
  readonly settings: EngineSettings;
  readonly layer: EngineLayer;
  readonly timers: Timers;
  readonly sockets: SessionSockets;
  readonly polls: Polling;
  readonly upgrades: Upgrades;
  readonly #ctx: DurableObjectState;
  readonly #report: Report;
  readonly #store: SessionStore;
  readonly #sessions = new Map<string, Session>();
  readonly #slow = new SlowSessions<Session>(this.#sessions);
  readonly #unsaved = new Set<Session>();
  #isSaving = false;
  #tickAt: number | null = null;

  constructor(ctx: DurableObjectState, { settings, layer, report }: EngineOptions) {
    this.settings = settings;
    this.layer = layer;
    this.#ctx = ctx;
    this.#report = report;
    this.#store = new SessionStore(ctx.storage, report);
    this.sockets = new SessionSockets(ctx);
    this.polls = new Polling(this.sockets);
    this.upgrades = new Upgrades({
      sockets: this.sockets,
      polls: this.polls,
      timeoutMs: settings.upgradeTimeoutMs,
      completed: (session) => {
        this.#store.removeRow(session);
        this.changed(session);
      },
    });
    this.timers = new Timers(ctx.storage);
    this.timers.add({ due: (now) => this.#nextTick(now), ring: (now) => this.#tick(now) });
  }

  // ── After hibernation ─────────────────────────────────────────────────────────────────────────────────────────────

  async restore(): Promise<void> {
    await this.layer.restore?.();
    for (const record of await this.#store.pollingSessions()) this.#add(new Session(this, record, record));
    for (const socket of this.#ctx.getWebSockets()) {
      const attachment = attachmentOf(socket);
      if (attachment?.role === "transport") this.#restoreTransport(socket, attachment);
      else if (attachment) this.#restoreCompanion(socket, attachment);
      else this.sockets.dismiss(socket);
    }
    await this.timers.restore();
    // The alarm that woke the object is set no more.
    if (this.#isWaiting) this.#tickAt = this.timers.next ?? Date.now();
  }

  #restoreTransport(socket: WebSocket, attachment: Extract<Attachment, { role: "transport" }>): void {
    const record = recordOf(attachment);
    const session = this.#add(new Session(this, record, record));
    session.transport = socket;
    this.sockets.assign(socket, "transport", session);
  }

  #restoreCompanion(socket: WebSocket, attachment: Exclude<Attachment, { role: "transport" }>): void {
    const session = this.#sessions.get(attachment.sid);
    // Only polling sessions have companions, and those stand in rows, which were read first.
    if (session?.state !== "open") {
      this.sockets.dismiss(socket);
      return;
    }
    this.sockets.assign(socket, attachment.role, session);
    if (attachment.role === "poll") session.poll = socket;
    else session.probe = { socket, since: attachment.since, probed: attachment.probed };
  }

  // ── Who is here ───────────────────────────────────────────────────────────────────────────────────────────────────

  get isFull(): boolean {
    return this.#sessions.size >= this.settings.maxSessions || !this.#slow.mayOpen;
  }

  get(sid: string): Session | undefined {
    return this.#sessions.get(sid);
  }

  /** A session that is long-polling, and whose time is not over. */
  polling(sid: string): Session | null {
    const session = this.#sessions.get(sid);
    if (!session?.isPolling) return null;
    if (session.state !== "open" || !session.isOverdue(Date.now())) return session;
    session.close("ping timeout");
    return null;
  }

  open(sid: string, handshake: Handshake, transport: WebSocket | null): Session {
    const session = this.#add(new Session(this, { sid, handshake }));
    session.transport = transport;
    if (transport) this.sockets.assign(transport, "transport", session);
    if (session.isKept) this.kept(session);
    return session;
  }

  #add(session: Session): Session {
    this.#sessions.set(session.sid, session);
    return session;
  }

  // ── What is kept ──────────────────────────────────────────────────────────────────────────────────────────────────

  changed(session: Session): void {
    this.#unsaved.add(session);
    if (this.#isSaving) return;
    this.#isSaving = true;
    // Once per event: a microtask runs before the object can take the next one, or sleep.
    queueMicrotask(() => this.#settle());
  }

  kept(session: Session): void {
    this.changed(session);
    this.timers.arm(Date.now());
  }

  #settle(): void {
    this.#isSaving = false;
    const sessions = [...this.#unsaved];
    this.#unsaved.clear();
    for (const session of sessions) {
      if (session.state === "closed") continue;
      if (session.poll && session.outbox.length > 0) this.polls.answer(session, session.takeOutbox());
      this.#store.save(session);
    }
  }

  /** Keeps the object awake until this is done. */
  follow(work: MaybePromise, during: string): void {
    if (work) this.#ctx.waitUntil(work.catch((error) => this.#report(error, during)));
  }

  // ── Time ──────────────────────────────────────────────────────────────────────────────────────────────────────────

  get #isWaiting(): boolean {
    return this.#sessions.size > 0 || (this.layer.wakesAt?.(Date.now()) ?? null) !== null;
  }

  /** One ping interval for all sessions, however they came; longer only if nothing but the layer waits for something. */
  #nextTick(now: number): number | null {
    if (!this.#isWaiting) this.#tickAt = null;
    else if (this.#tickAt === null) {
      const next = now + this.settings.pingIntervalMs;
      this.#tickAt = this.#sessions.size > 0 ? next : Math.max(next, this.layer.wakesAt?.(now) ?? 0);
    }
    return this.#tickAt;
  }

  /** The alarm rang, and it rings for this alone. Who did not answer the last ping is closed, the rest is pinged. */
  ring(now: number): Promise<void> {
    this.#tickAt = now;
    return this.timers.ring(now);
  }

  #tick(now: number): void {
    this.#tickAt = null;
    for (const session of [...this.#sessions.values()]) {
      this.upgrades.endIfOverdue(session, now);
      if (session.state === "open") session.beat(now);
      else if (session.isOverdue(now)) this.forget(session);
    }
    this.layer.tick?.(now);
    if (!this.#isWaiting) this.#retire(false);
  }

  // ── The end ───────────────────────────────────────────────────────────────────────────────────────────────────────

  close(session: Session, reason: CloseReason, code?: number): void {
    if (session.state !== "open") return;
    const mustLinger =
      session.isPolling && !session.poll && session.outbox.length > 0 && reason === "forced server close";
    if (session.isPolling) session.conclude(CLOSE);
    if (session.poll) this.polls.answer(session, session.takeOutbox());
    this.#end(session, reason, { state: mustLinger ? "closing" : "closed", code });
  }

  /** Ends all sessions; their clients come back. */
  closeAll(reason: CloseReason, code: number): void {
    for (const session of [...this.#sessions.values()]) session.close(reason, code);
  }

  /** Closes who does not read; the client may come back for what it missed. */
  checkReader(session: Session): void {
    const slow = this.#slow.after(session, Date.now());
    // A fan-out may be under way: what is in its hands is sent first.
    queueMicrotask(() => {
      for (const one of slow) this.close(one, "transport error", CODES.tooSlow);
    });
  }

  /** A socket has ended, whoever ended it. */
  socketEnded(socket: WebSocket): void {
    this.#slow.ended(socket);
  }

  /** The client says goodbye. A GET that it sent before may still be on its way, and is answered with nothing. */
  leave(session: Session): void {
    session.takeOutbox();
    const mustWait = session.isPolling && !session.poll;
    if (mustWait) {
      session.conclude(NOOP);
      this.#store.removeRow(session);
      setTimeout(() => this.forget(session), LEAVING_MS);
    }
    this.polls.answer(session, NOOP);
    this.#end(session, "transport close", { state: mustWait ? "leaving" : "closed" });
  }

  #end(
    session: Session,
    reason: CloseReason,
    { state, code }: { state: "closing" | "leaving" | "closed"; code?: number | undefined },
  ): void {
    session.state = state;
    if (session.probe) this.upgrades.end(session, session.probe.socket);
    if (session.transport) {
      this.#slow.closed(session.transport, session.reader.unread);
      this.sockets.dismiss(session.transport, code);
    }
    this.follow(session.receiver?.closed(reason), "a close");
    if (state === "closing") this.changed(session);
    if (state === "closed") this.forget(session);
  }

  forget(session: Session): void {
    session.state = "closed";
    if (!this.#sessions.delete(session.sid)) return;
    this.#store.removeRow(session);
    if (!this.#isWaiting) this.#retire(!session.isPolling && !session.hasSpoken);
  }

  /** An object that served one session leaves nothing behind: an empty database is billed for 12 KB. */
  #retire(mustAbort: boolean): void {
    if (this.settings.density.kind === "per-session") this.follow(this.#clear(mustAbort), "clearing the storage");
  }

  async #clear(mustAbort: boolean): Promise<void> {
    this.timers.forget();
    await this.#ctx.storage.deleteAll();
    // workerd 1.20261117 keeps the connection of a client that never sent a frame open for another 10 s after a close.
    if (mustAbort && this.#sessions.size === 0) this.#ctx.abort("the session is over");
  }
}
