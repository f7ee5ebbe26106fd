/** `usePresence`: whether somebody is here, and when they last were. */
import { useSession, useStore } from "./context.ts";
import { Retrying } from "./loading.ts";
import { pollWhileShown } from "./polling.ts";
import { type Session, Stores } from "./session.ts";
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
  #leave: () => void = () => undefined;

  constructor(session: Session, userId: number) {
    super({ isOnline: undefined, lastSeen: null });
    this.#session = session;
    this.#userId = userId;
  }

  protected start(): void {
    this.#leave = pollWhileShown(() => this.#ask(), ASK_EVERY_MS);
    this.#ask();
  }

  protected stop(): void {
    this.#retrying.stop();
    this.#leave();
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

/** Asked every 30 s while the page is shown. @throws Error outside a RoomcastProvider */
export const usePresence = (userId: number): Presence => useStore(stores.of(useSession(), String(userId)));
