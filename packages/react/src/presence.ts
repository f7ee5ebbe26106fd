/** `usePresence`: whether somebody is here, and when they last were. */
import { useSession, useStore } from "./context.ts";
import { Retrying } from "./loading.ts";
import { pollWhileShown } from "./polling.ts";
import { type Session, Stores } from "./session.ts";
import { eventSocket } from "./socket.ts";
import { Store } from "./store.ts";

const ASK_EVERY_MS = 30_000;

export type Presence = {
  /** Undefined until it is known. */
  isOnline: boolean | undefined;
  /** ISO 8601. */
  lastSeen: string | null;
};

class PresenceStore extends Store<Presence> {
  readonly #session: Session;
  readonly #userId: number;
  readonly #retrying = new Retrying();
  #leave: (() => void)[] = [];

  constructor(session: Session, userId: number) {
    super({ isOnline: undefined, lastSeen: null });
    this.#session = session;
    this.#userId = userId;
  }

  protected start(): void {
    const events = eventSocket(this.#session);
    this.#leave = [
      pollWhileShown(() => this.#ask(), ASK_EVERY_MS),
      events.listen((socket) =>
        socket.on("presence:changed", ({ userId, isOnline, lastSeen }) => {
          if (userId === this.#userId) this.become({ isOnline, lastSeen });
        }),
      ),
      events.subscribe(() => undefined),
    ];
    this.#ask();
  }

  protected stop(): void {
    this.#retrying.stop();
    for (const leave of this.#leave.splice(0)) leave();
  }

  #ask(): void {
    this.#retrying.run(
      async (isCurrent) => {
        const call = this.#session.api.users[":id"].status.$get({ param: { id: this.#userId } });
        const status = await this.#session.answer(call);
        if (isCurrent()) this.become(status);
      },
      () => this.become({ isOnline: undefined }),
    );
  }
}

const stores = new Stores((session, userId) => new PresenceStore(session, Number(userId)));

/** Of a friend live, of others asked every 30 s while the page is shown. @throws Error outside a RoomcastProvider */
export const usePresence = (userId: number): Presence => useStore(stores.of(useSession(), String(userId)));
