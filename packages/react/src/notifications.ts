/** `useNotifications`: what others did that concerns the user, live. */
import type { RoomcastError, Schema } from "@roomcast/client";
import { useMemo } from "react";
import { useSession, useStore } from "./context.ts";
import { asError, Retrying } from "./loading.ts";
import { type Session, Stores } from "./session.ts";
import { eventSocket } from "./socket.ts";
import { Store } from "./store.ts";

const PAGE = 20;

export type NotificationsState = {
  /** Newest first. */
  notifications: readonly Schema["Notification"][];
  unseenCount: number;
  isLoading: boolean;
  hasOlder: boolean;
  error: RoomcastError | undefined;
};

export type NotificationsActions = {
  /** Those; without any named, all. @throws RoomcastError */
  markSeen(notificationIds?: number[]): Promise<void>;
  loadOlder(): Promise<void>;
};

class NotificationsStore extends Store<NotificationsState> {
  readonly #session: Session;
  readonly #retrying = new Retrying();
  #older: number | undefined;
  #leave: (() => void)[] = [];

  constructor(session: Session) {
    super({ notifications: [], unseenCount: 0, isLoading: true, hasOlder: false, error: undefined });
    this.#session = session;
  }

  protected start(): void {
    const socket = eventSocket(this.#session);
    this.#leave = [
      socket.listen((events) => events.on("notification:new", (notification) => this.#add(notification))),
      socket.listen((events) =>
        events.on("notification:unseen_count", ({ count }) => this.become({ unseenCount: count })),
      ),
      socket.onResync(() => this.#load()),
      socket.subscribe(() => undefined),
    ];
    this.#load();
  }

  protected stop(): void {
    this.#retrying.stop();
    for (const leave of this.#leave.splice(0)) leave();
  }

  #load(): void {
    const { notifications } = this.#session.api;
    this.#retrying.run(
      async (isCurrent) => {
        const [page, { count }] = await Promise.all([
          this.#session.answer(notifications.$get({ query: { limit: PAGE } })),
          this.#session.answer(notifications["unseen-count"].$get()),
        ]);
        if (!isCurrent()) return;
        this.#keep(page.notifications, page.nextCursor);
        this.become({ unseenCount: count });
      },
      (error) => this.become({ error, isLoading: false }),
    );
  }

  #keep(notifications: readonly Schema["Notification"][], nextCursor: number | null): void {
    this.#older = nextCursor ?? undefined;
    this.become({ notifications, hasOlder: this.#older !== undefined, isLoading: false, error: undefined });
  }

  #add(notification: Schema["Notification"]): void {
    const others = this.getState().notifications.filter(({ id }) => id !== notification.id);
    this.become({ notifications: [notification, ...others] });
  }

  readonly actions: NotificationsActions = {
    markSeen: async (notificationIds = []) => {
      const call = this.#session.api.notifications["mark-seen"].$post({ json: { notificationIds } });
      await this.#session.answer(call);
      const isMeant = (id: number) => notificationIds.length === 0 || notificationIds.includes(id);
      const { notifications } = this.getState();
      this.become({ notifications: notifications.map((one) => (isMeant(one.id) ? { ...one, seen: true } : one)) });
    },
    loadOlder: async () => {
      const before = this.#older;
      if (before === undefined || this.getState().isLoading) return;
      this.become({ isLoading: true });
      try {
        const call = this.#session.api.notifications.$get({ query: { limit: PAGE, before } });
        const page = await this.#session.answer(call);
        const known = new Set(this.getState().notifications.map(({ id }) => id));
        const older = page.notifications.filter(({ id }) => !known.has(id));
        this.#keep([...this.getState().notifications, ...older], page.nextCursor);
      } catch (error) {
        this.become({ isLoading: false, error: asError(error) });
      }
    },
  };
}

const stores = new Stores((session) => new NotificationsStore(session));

/** @throws Error outside a RoomcastProvider */
export function useNotifications(): NotificationsState & NotificationsActions {
  const store = stores.of(useSession());
  const state = useStore(store);
  return useMemo(() => ({ ...state, ...store.actions }), [state, store]);
}
