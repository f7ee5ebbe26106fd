/** What a room tells those of its members who are not in it: that something was said, and that they are named. */

import type { Ctx } from "../context.ts";
import { pushTo } from "../hub/client.ts";
import { logFailure } from "../platform/log.ts";
import type { Timers } from "../realtime/timers.ts";
import { RoomActivity } from "./activity.ts";
import type { Attachments } from "./attachments.ts";
import { onlineMembers } from "./audience.ts";
import type { RoomDialect } from "./dialect.ts";
import { type Mark, type Summary, unread } from "./directory.ts";
import { roomChat } from "./kinds.ts";
import type { ChatLog, Message } from "./log.ts";
import { Mentions, type Naming } from "./mentions.ts";
import type { Moderation } from "./moderation.ts";

type Host = {
  roomId: string;
  log: ChatLog;
  timers: Timers;
  moderation: Moderation;
  attachments: Attachments;
  readonly dialect: () => RoomDialect;
  context: () => Ctx;
  later: (work: Promise<unknown>) => void;
  /** Whether the user is in the room. */
  isHere: (userId: number) => boolean;
  summary: () => Pick<Summary, "messageCount" | "deletedSeqs">;
  /** How far a user has read, as far as the room knows. */
  markOf: (userId: number) => Mark;
};

export class Inbox {
  readonly #host: Host;
  readonly #activity: RoomActivity;
  readonly #mentions: Mentions;

  constructor(host: Host) {
    const { log, timers, later } = host;
    this.#host = host;
    this.#activity = new RoomActivity({
      sql: log.sql,
      timers,
      later,
      head: () => log.head,
      isListed: () => this.#kind !== undefined,
      tell: () => this.#tellActivity(),
    });
    this.#mentions = new Mentions({
      log,
      timers,
      later,
      tells: () => this.#kind !== undefined,
      notify: (naming) => this.#notify(naming),
    });
  }

  /** What this kind of room has of an inbox; courses have none. */
  get #kind() {
    const { moderation } = this.#host;
    return moderation.isKnown && !moderation.isClosed ? roomChat(moderation.info.kind).inbox : undefined;
  }

  /** The log has gone on; `said`: by a message. */
  logged(now: number, said: Message | undefined): void {
    this.#activity.noteChange(now);
    if (said) this.#mentions.note(said, now);
  }

  /** The database knows what was said. */
  synced(now: number): void {
    this.#activity.synced(now);
  }

  get #publicId(): string {
    return this.#host.moderation.info.publicId ?? this.#host.roomId;
  }

  async #tellActivity(): Promise<number> {
    const { context, roomId, isHere, moderation } = this.#host;
    const ctx = context();
    const online = await onlineMembers(ctx, roomId);
    // They may have been removed, or the room may be no more, while the database was asked.
    if (!this.#kind) return 0;
    const outside = online.filter(({ userId, version }) => !isHere(userId) && moderation.isMember(userId, version));
    if (outside.length === 0) return 0;
    const told = this.#news();
    await Promise.all(outside.map((member) => this.#push(ctx, member, told(member))));
    return outside.length;
  }

  /** The same for all but for the count. The link to a file is signed for an hour, and kept nowhere. */
  #news(): (member: Mark) => object {
    const { log, attachments, dialect, summary, markOf } = this.#host;
    const last = log.lastMessage();
    const lastMessage = last ? { editedAt: null, ...dialect().message(attachments.shown(last)) } : null;
    const state = summary();
    return (stored) => {
      const known = markOf(stored.userId);
      const unreadCount = unread(state, known.seq > stored.seq ? known : stored);
      return { roomId: this.#publicId, unreadCount, lastMessage };
    };
  }

  async #push(ctx: Ctx, { userId }: Mark, data: object): Promise<void> {
    try {
      await pushTo(ctx, userId, { type: "room:activity", data });
    } catch (error) {
      logFailure(ctx, "room.activity", error, { userId });
    }
  }

  async #notify({ message, named }: Naming): Promise<void> {
    const { context, roomId, dialect, moderation } = this.#host;
    const { name, ownerId } = moderation.info;
    const { userId, username, avatarUrl } = message;
    await this.#kind?.notifyMentioned(context(), {
      author: { id: userId, username, avatarUrl },
      room: { id: roomId, publicId: this.#publicId, name, ownerId },
      messageId: dialect().messageId(message.seq),
      named,
      except: moderation.mutedAt(Date.now()),
    });
  }
}
