/** Who is in a room now, who types, and how far others have read. */
import type { FramesOf } from "@roomcast/client";

type Frames = FramesOf<"/rooms/{roomId}/ws">;
export type OnlineUser = { userId: number; username: string; avatarUrl: string | null };

/** A sign of typing that is not renewed. */
const TYPING_SHOWN_MS = 8000;

const shown = ({ userId, username, avatarUrl }: OnlineUser): OnlineUser => ({ userId, username, avatarUrl });

export class RoomPeople {
  readonly #onChange: () => void;
  readonly #online = new Map<number, OnlineUser>();
  readonly #typing = new Map<number, { username: string; timer: ReturnType<typeof setTimeout> }>();
  #reads: ReadonlyMap<number, number> = new Map();
  #count = 0;

  constructor(onChange: () => void) {
    this.#onChange = onChange;
  }

  /** As components see it. */
  get state() {
    return {
      online: [...this.#online.values()],
      onlineCount: Math.max(this.#count, this.#online.size),
      typing: [...this.#typing].map(([userId, { username }]) => ({ userId, username })),
      reads: this.#reads,
    };
  }

  here({ users, count }: Frames["online_users"]): void {
    this.#online.clear();
    for (const user of users) this.#online.set(user.userId, shown(user));
    this.#count = count;
    this.#onChange();
  }

  joined(user: Frames["user_joined"]): void {
    this.#count += this.#online.has(user.userId) ? 0 : 1;
    this.#online.set(user.userId, shown(user));
    this.#onChange();
  }

  left({ userId }: Frames["user_left"]): void {
    this.#count -= this.#online.delete(userId) ? 1 : 0;
    this.stopped(userId);
    this.#onChange();
  }

  /** A crowd's joins and leaves, gathered: the count is exact, the list is not. */
  crowd({ count, joined, left }: Frames["presence"]): void {
    for (const user of joined) this.#online.set(user.userId, shown(user));
    for (const userId of left) this.#online.delete(userId);
    this.#count = count;
    this.#onChange();
  }

  typed({ userId, username, isTyping }: Frames["typing"]): void {
    this.stopped(userId);
    if (isTyping) {
      const timer = setTimeout(() => {
        this.stopped(userId);
        this.#onChange();
      }, TYPING_SHOWN_MS);
      this.#typing.set(userId, { username, timer });
    }
    this.#onChange();
  }

  /** Who has sent a message types it no more. */
  stopped(userId: number | null): void {
    if (userId === null) return;
    clearTimeout(this.#typing.get(userId)?.timer);
    this.#typing.delete(userId);
  }

  read({ userId, seq }: Frames["read"]): void {
    if (seq <= (this.#reads.get(userId) ?? 0)) return;
    this.#reads = new Map(this.#reads).set(userId, seq);
    this.#onChange();
  }

  /** The connection is gone: who is here is not known. */
  clear(): void {
    for (const { timer } of this.#typing.values()) clearTimeout(timer);
    this.#typing.clear();
    this.#online.clear();
    this.#count = 0;
  }
}
