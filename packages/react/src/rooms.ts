/** `useRooms`: the user's rooms, those with the latest talk first. */
import type { FramesOf, RoomcastError, Schema } from "@roomcast/client";
import { useMemo } from "react";
import { useSession, useStore } from "./context.ts";
import { Retrying } from "./loading.ts";
import { pollWhileShown } from "./polling.ts";
import { type Session, Stores } from "./session.ts";
import { eventSocket } from "./socket.ts";
import { Store } from "./store.ts";

/** The event socket tells of rooms of up to 100 members; larger ones, and what was read elsewhere, show by asking. */
const ASK_EVERY_MS = 60_000;
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
  #leave: (() => void)[] = [];
  #due: ReturnType<typeof setTimeout> | undefined;

  constructor(session: Session) {
    super({ rooms: undefined, error: undefined });
    this.#session = session;
  }

  protected start(): void {
    const events = eventSocket(this.#session);
    this.#leave = [
      pollWhileShown(() => this.#ask(), ASK_EVERY_MS),
      events.listen((socket) => socket.on("room:activity", (activity) => this.#active(activity))),
      events.listen((socket) => socket.on("room:invited", () => this.actions.refresh())),
      events.listen((socket) => socket.on("room:removed", ({ roomId }) => this.#without(roomId))),
      events.onResync(() => this.#ask()),
      events.subscribe(() => undefined),
    ];
    this.#ask();
  }

  protected stop(): void {
    this.#retrying.stop();
    clearTimeout(this.#due);
    this.#due = undefined;
    for (const leave of this.#leave.splice(0)) leave();
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

  /** The room with the latest talk comes first. */
  #active({ roomId, unreadCount, lastMessage }: FramesOf<"/ws">["room:activity"]): void {
    const { rooms } = this.getState();
    const room = rooms?.find(({ id }) => id === roomId);
    if (!rooms || !room) return this.actions.refresh();
    this.become({ rooms: [{ ...room, unreadCount, lastMessage }, ...rooms.filter((one) => one !== room)] });
  }

  #without(roomId: string): void {
    const { rooms } = this.getState();
    if (rooms) this.become({ rooms: rooms.filter(({ id }) => id !== roomId) });
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
