/** Who may speak in a room: what it knows about itself, who runs it, mutes, slow mode, and who was removed. */
import { AppError } from "../errors.ts";
import type { Person } from "../realtime/connection-state.ts";
import { RoomInfo } from "./info.ts";

/** How far back slow mode looks for somebody's last message after the object has slept, rows. */
const SLOW_MODE_ROWS = 2000;

export class Moderation {
  readonly #sql: SqlStorage;
  #info: RoomInfo | null;
  #isClosed: boolean;
  /** User → until when, ms. Few, and asked at every message. */
  readonly #mutes = new Map<number, number>();
  /** User → when they last wrote, ms; while slow mode is on. */
  readonly #wroteAt = new Map<number, number>();

  constructor(sql: SqlStorage) {
    this.#sql = sql;
    const state = sql
      .exec<{ info: string | null; closed_at: number | null }>("SELECT info, closed_at FROM state")
      .one();
    this.#info = state.info === null ? null : RoomInfo.parse(JSON.parse(state.info));
    this.#isClosed = state.closed_at !== null;
    for (const row of sql.exec<{ user_id: number; until: number }>("SELECT user_id, until FROM mutes")) {
      this.#mutes.set(row.user_id, row.until);
    }
  }

  /** Whether anybody has ever come, and said what the room is. */
  get isKnown(): boolean {
    return this.#info !== null;
  }

  /** @throws AppError NOT_FOUND before the room knows what it is, and when it is no more */
  get info(): RoomInfo {
    if (!this.#info || this.#isClosed) throw new AppError("NOT_FOUND");
    return this.#info;
  }

  /** What the room is, or was before it was deleted; null before anybody has said so. */
  get lastInfo(): RoomInfo | null {
    return this.#info;
  }

  /** The room was deleted. Whoever was on the way in when that happened is turned away. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  close(now: number): void {
    this.#sql.exec("UPDATE state SET closed_at = ?", now);
    this.#isClosed = true;
  }

  /** The database was set back: the room is there, whoever was removed counts as it says. `isSameRow` false: all is new. */
  startOver(isSameRow: boolean): void {
    this.#sql.exec("UPDATE state SET closed_at = NULL");
    this.#sql.exec("DELETE FROM departed");
    this.#isClosed = false;
    if (isSameRow) return;
    this.unlearn();
    for (const userId of [...this.#mutes.keys()]) this.unmute(userId);
    this.#wroteAt.clear();
  }

  /** What is said next of the room counts, whatever its version. */
  unlearn(): void {
    this.#sql.exec("UPDATE state SET info = NULL");
    this.#info = null;
  }

  /** Takes news, unless they are old. Answers whether they were new. */
  learn(info: RoomInfo): boolean {
    if (this.#info && info.version <= this.#info.version) return false;
    this.#sql.exec("UPDATE state SET info = ?", JSON.stringify(info));
    this.#info = info;
    return true;
  }

  /** This user is no member any more, as of `version`. */
  recordDeparture(userId: number, version: number): void {
    this.#sql.exec(
      `INSERT INTO departed (user_id, version) VALUES (?, ?)
       ON CONFLICT (user_id) DO UPDATE SET version = max(version, excluded.version)`,
      userId,
      version,
    );
  }

  /** Turns away who was found to be a member as of `version`, and has been removed since. @throws AppError FORBIDDEN */
  requireMember(userId: number, version: number): void {
    if (!this.isMember(userId, version)) throw new AppError("FORBIDDEN", "You are no member any more.");
  }

  /** Whether who was found to be a member as of `version` has not been removed since. */
  isMember(userId: number, version: number): boolean {
    const [row] = this.#sql
      .exec<{ version: number }>("SELECT version FROM departed WHERE user_id = ?", userId)
      .toArray();
    return !row || version >= row.version;
  }

  /** The owner of the room, moderators and admins. */
  isInCharge({ userId, role }: Person): boolean {
    return role !== "user" || this.info.ownerId === userId;
  }

  /** Whether this person is in charge here by their role alone: the room is another's. */
  actsByRole({ userId, role }: Person): boolean {
    return role !== "user" && this.info.ownerId !== userId;
  }

  /** @throws AppError FORBIDDEN for anybody but the owner, moderators and admins */
  requireInCharge(person: Person): void {
    if (!this.isInCharge(person)) throw new AppError("FORBIDDEN", "Only the room's owner and moderators do this.");
  }

  /**
   * Whoever may not write may not edit or react either, nor show that they are typing.
   * @throws AppError FORBIDDEN muted, or a block between the two people of the room
   */
  requireVoice(person: Person, now: number): void {
    if (this.info.isBlocked) throw new AppError("FORBIDDEN", "There is a block between the two of you.");
    const until = this.mutedUntil(person.userId, now);
    if (until === null || this.isInCharge(person)) return;
    throw new AppError("FORBIDDEN", `You are muted here until ${new Date(until).toISOString()}.`);
  }

  /** Holds members to the room's slow mode. @throws AppError RATE_LIMIT */
  requirePatience(person: Person, now: number): void {
    const waitMs = this.info.slowModeSeconds * 1000;
    if (waitMs === 0 || this.isInCharge(person)) return;
    const last = this.#wroteAt.get(person.userId) ?? this.#lastWroteAt(person.userId);
    if (now - last >= waitMs) return;
    const retryAfterSeconds = Math.ceil((last + waitMs - now) / 1000);
    throw new AppError("RATE_LIMIT", `Slow mode: wait ${retryAfterSeconds} s.`, { retryAfterSeconds });
  }

  /** As far as the end of the log tells; 0 if it does not. */
  #lastWroteAt(userId: number): number {
    const [row] = this.#sql.exec<{ at: number }>(
      `SELECT at FROM log WHERE seq > (SELECT max(seq) FROM log) - ? AND kind = 'message' AND user_id = ?
       ORDER BY seq DESC LIMIT 1`,
      SLOW_MODE_ROWS,
      userId,
    );
    return row?.at ?? 0;
  }

  /** Somebody has just written. */
  recordWriting(userId: number, now: number): void {
    if (this.info.slowModeSeconds > 0) this.#wroteAt.set(userId, now);
  }

  /** Until when this user may not write, ms; null if they may. */
  mutedUntil(userId: number, now: number): number | null {
    const until = this.#mutes.get(userId) ?? 0;
    return until > now ? until : null;
  }

  /** Who is muted at this moment. */
  mutedAt(now: number): number[] {
    return [...this.#mutes.keys()].filter((userId) => this.mutedUntil(userId, now) !== null);
  }

  mute(userId: number, until: number): void {
    this.#sql.exec("INSERT OR REPLACE INTO mutes (user_id, until) VALUES (?, ?)", userId, until);
    this.#mutes.set(userId, until);
  }

  /** Answers whether there was something to lift. */
  unmute(userId: number): boolean {
    if (!this.#mutes.delete(userId)) return false;
    this.#sql.exec("DELETE FROM mutes WHERE user_id = ?", userId);
    return true;
  }

  /** Nothing here names this user any more. */
  forget(userId: number): void {
    this.unmute(userId);
    this.#wroteAt.delete(userId);
    this.#sql.exec("DELETE FROM departed WHERE user_id = ?", userId);
  }
}
