/** `useStreamChat`: the chat beside a livestream, and how many are here. */
import {
  Outbox,
  type Outgoing,
  type OutgoingState,
  type RoomcastError,
  type RoomcastSocket,
  type Schema,
  type SocketStatus,
} from "@roomcast/client";
import { useMemo } from "react";
import { useSession, useStore } from "./context.ts";
import { History } from "./history.ts";
import { asError, Retrying } from "./loading.ts";
import { type Session, Stores } from "./session.ts";
import { Store } from "./store.ts";

const SOCKET = "/streams/{id}/ws";
const PAGE = 50;

type Said = { message: string; fileId?: string };

export type StreamEntry = Schema["ChatMessage"] & {
  /** For React's `key`. */
  key: string;
  state: OutgoingState;
  clientMessageId?: string;
  error?: { code: string; message: string } | undefined;
};

export type StreamChatState = {
  status: SocketStatus;
  why: { code: number; reason: string } | undefined;
  /** Oldest first; one's own that are on their way at the end. */
  messages: readonly StreamEntry[];
  isLoading: boolean;
  hasOlder: boolean;
  error: RoomcastError | undefined;
  /** Undefined until somebody has counted. */
  viewerCount: number | undefined;
  /** `live` or `ended`, once it has changed since this was opened. */
  streamStatus: Schema["Stream"]["status"] | undefined;
  /** Between two messages of one person; 0: no limit. */
  slowModeSeconds: number;
  /** ISO 8601; null: not muted. */
  mutedUntil: string | null;
};

export type StreamChatActions = {
  send(said: Said): void;
  retry(clientMessageId: string): void;
  discard(clientMessageId: string): void;
  /** The owner and moderators. @throws RoomcastError */
  remove(messageId: string): Promise<void>;
  loadOlder(): Promise<void>;
};

const INITIAL: StreamChatState = {
  status: "connecting",
  why: undefined,
  messages: [],
  isLoading: true,
  hasOlder: false,
  error: undefined,
  viewerCount: undefined,
  streamStatus: undefined,
  slowModeSeconds: 0,
  mutedUntil: null,
};

class StreamChatStore extends Store<StreamChatState> {
  readonly #session: Session;
  readonly #id: string;
  readonly #retrying = new Retrying();
  #history = new History<Schema["ChatMessage"]>();
  #socket: RoomcastSocket<typeof SOCKET> | undefined;
  #outbox: Outbox<Said, Schema["ChatMessage"]> | undefined;

  constructor(session: Session, id: string) {
    super(INITIAL);
    this.#session = session;
    this.#id = id;
  }

  protected start(): void {
    this.#history = new History();
    const socket = this.#session.open(SOCKET, {
      params: { id: this.#id },
      onStatus: (status, why) => this.#became(status, why),
      onResync: () => this.#load(),
    });
    this.#listen(socket);
    const outbox = new Outbox<Said, Schema["ChatMessage"]>({
      storage: this.#session.storage,
      key: `${this.#session.userId}:stream:${this.#id}`,
      deliver: (said) => socket.send("chat_message", said),
      onSent: (_, message) => this.#history.put(message),
    });
    outbox.subscribe(() => this.#draw());
    this.#socket = socket;
    this.#outbox = outbox;
    this.#draw();
  }

  protected stop(): void {
    this.#retrying.stop();
    this.#outbox?.close();
    this.#socket?.close();
    this.#outbox = undefined;
    this.#socket = undefined;
  }

  #listen(socket: RoomcastSocket<typeof SOCKET>): void {
    const apply = (change: () => void) => {
      this.#history.apply(change);
      this.#draw();
    };
    socket.on("chat_message", (message) => apply(() => this.#history.put(message)));
    socket.on("chat_message_deleted", ({ messageId }) => apply(() => this.#history.remove(messageId)));
    socket.on("chat_slow_mode", ({ seconds }) => this.become({ slowModeSeconds: seconds }));
    socket.on("chat_muted", ({ userId, until }) => {
      if (userId === this.#session.userId) this.become({ mutedUntil: until });
    });
    socket.on("stream:status", ({ status }) => this.become({ streamStatus: status }));
    socket.on("stream:viewer_count", ({ count }) => this.become({ viewerCount: count }));
  }

  #became(status: SocketStatus, why?: { code: number; reason: string }): void {
    if (!this.isLive) return;
    // What still holds is said again after this.
    const held = status === "open" ? { slowModeSeconds: 0, mutedUntil: null } : {};
    this.become({ status, why, ...held });
    if (status === "open" && !this.#history.isLoaded) this.#load();
    if (status === "closed") this.become({ isLoading: false });
  }

  #draw(): void {
    const outgoing = this.#outbox?.messages ?? [];
    const sent = this.#history.messages.map((message) => ({ ...message, key: message.id, state: "sent" as const }));
    const { userId } = this.#session;
    const messages = [...sent, ...outgoing.map((one) => onItsWay(one, Number(this.#id), userId))];
    this.become({ messages, hasOlder: this.#history.older !== undefined });
  }

  #load(): void {
    this.#history.clear();
    this.become({ isLoading: true });
    this.#retrying.run(
      async (isCurrent) => {
        const page = await this.#page({ limit: PAGE });
        if (!isCurrent()) return;
        this.#history.addPage(page);
        this.become({ isLoading: false, error: undefined });
        this.#draw();
      },
      (error) => this.become({ error, isLoading: false }),
    );
  }

  #page(query: { limit: number; before?: string }) {
    return this.#session.answer(this.#session.api.streams[":id"].chat.$get({ param: { id: Number(this.#id) }, query }));
  }

  readonly actions: StreamChatActions = {
    send: (said) => void this.#outbox?.add(said),
    retry: (clientMessageId) => this.#outbox?.retry(clientMessageId),
    discard: (clientMessageId) => this.#outbox?.discard(clientMessageId),
    remove: async (messageId) => {
      await this.#socket?.send("chat_delete", { messageId });
    },
    loadOlder: async () => {
      const { older: before } = this.#history;
      if (before === undefined || this.getState().isLoading) return;
      this.become({ isLoading: true });
      this.#history.hold();
      try {
        this.#history.addPage(await this.#page({ limit: PAGE, before }));
        this.become({ isLoading: false, error: undefined });
      } catch (error) {
        this.#history.release();
        this.become({ isLoading: false, error: asError(error) });
      }
      this.#draw();
    },
  };
}

function onItsWay(outgoing: Outgoing<Said>, streamId: number, userId: number): StreamEntry {
  const { clientMessageId, createdAt, data, state, error } = outgoing;
  return {
    id: clientMessageId,
    key: clientMessageId,
    clientMessageId,
    streamId,
    seq: Number.POSITIVE_INFINITY,
    userId,
    username: "",
    message: data.message,
    timestamp: new Date(createdAt).toISOString(),
    state,
    error,
  };
}

const stores = new Stores((session, id) => new StreamChatStore(session, id));

/** @throws Error outside a RoomcastProvider */
export function useStreamChat(streamId: number): StreamChatState & StreamChatActions {
  const store = stores.of(useSession(), String(streamId));
  const state = useStore(store);
  return useMemo(() => ({ ...state, ...store.actions }), [state, store]);
}
