/** `useRooms`: the user's rooms, those with the latest talk first. */
import type { RoomcastError, Schema } from "@roomcast/client";
import { useMemo } from "react";
import { useSession, useStore } from "./context.ts";
import { Retrying } from "./loading.ts";
import { pollWhileShown } from "./polling.ts";
import { type Session, Stores } from "./session.ts";
import { Store } from "./store.ts";

const ASK_EVERY_MS = 15_000;
/** In a busy room much is a reason to ask again. */
const REFRESH_WITHIN_MS = 1000;

export type RoomsState = {
  /** Undefined until they are read. The first hundred. */
  rooms: readonly Schema["Room"][] | undefined;
  error: RoomcastError | undefined;
};

export type NewRoom = { name?: string; isGroup: boolean; memberIds: number[]; joinPolicy?: "members" | "open" };

export type RoomsActions = {
  /** A group; or the private room with somebody, which may be there already. @throws RoomcastError */
  create(room: NewRoom): Promise<Schema["Room"]>;
  /** Asks soon; many calls at once are one. */
  refresh(): void;
};

class RoomsStore extends Store<RoomsState> {
  readonly #session: Session;
  readonly #retrying = new Retrying();
  #leave: () => void = () => undefined;
  #due: ReturnType<typeof setTimeout> | undefined;

  constructor(session: Session) {
    super({ rooms: undefined, error: undefined });
    this.#session = session;
  }

  protected start(): void {
    this.#leave = pollWhileShown(() => this.#ask(), ASK_EVERY_MS);
    this.#ask();
  }

  protected stop(): void {
    this.#retrying.stop();
    clearTimeout(this.#due);
    this.#due = undefined;
    this.#leave();
  }

  #ask(): void {
    this.#retrying.run(
      async (isCurrent) => {
        const { rooms } = await this.#session.answer(this.#session.api.rooms.$get({ query: { limit: 100 } }));
        if (isCurrent()) this.become({ rooms, error: undefined });
      },
      (error) => this.become({ error }),
    );
  }

  readonly actions: RoomsActions = {
    create: async (room) => {
      const made = await this.#session.answer(this.#session.api.rooms.$post({ json: room }));
      const others = (this.getState().rooms ?? []).filter(({ id }) => id !== made.id);
      this.become({ rooms: [made, ...others] });
      return made;
    },
    refresh: () => {
      this.#due ??= setTimeout(() => {
        this.#due = undefined;
        this.#ask();
      }, REFRESH_WITHIN_MS);
    },
  };
}

const stores = new Stores((session) => new RoomsStore(session));

/** @throws Error outside a RoomcastProvider */
export function useRooms(): RoomsState & RoomsActions {
  const store = stores.of(useSession());
  const state = useStore(store);
  return useMemo(() => ({ ...state, ...store.actions }), [state, store]);
}
