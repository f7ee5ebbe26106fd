/** `useRoom`: one room, live: what is said in it, who is here, and all that a member does. */
import type { RoomcastError, RoomcastSocket, Schema, SocketStatus } from "@roomcast/client";
import { useMemo } from "react";
import { useSession, useStore } from "./context.ts";
import { asError, Retrying } from "./loading.ts";
import { outboxes, type Said } from "./outbox.ts";
import { type RoomEntry, RoomLog } from "./room-log.ts";
import { type OnlineUser, RoomPeople } from "./room-people.ts";
import { ReadMark, TypingSign } from "./room-signs.ts";
import { type Session, Stores } from "./session.ts";
import { Store } from "./store.ts";

const SOCKET = "/rooms/{roomId}/ws";
const PAGE = 50;

export type RoomState = {
  /** Of the connection. `closed`: for good, for `why`. */
  status: SocketStatus;
  why: { code: number; reason: string } | undefined;
  /** Undefined until it is read. */
  room: Schema["RoomWithMembers"] | undefined;
  /** Oldest first; one's own that are on their way at the end. */
  messages: readonly RoomEntry[];
  isLoading: boolean;
  /** Whether `loadOlder` finds more. */
  hasOlder: boolean;
  /** What the last read met; it is tried again by itself unless the service refused it. */
  error: RoomcastError | undefined;
  /** Of a crowd, some. */
  online: readonly OnlineUser[];
  onlineCount: number;
  typing: readonly { userId: number; username: string }[];
  /** How far others have read since this was opened: user id → seq. */
  reads: ReadonlyMap<number, number>;
};

export type RoomActions = {
  /** Shown at once; it goes out when the network lets it, once. */
  send(said: Said): void;
  /** Sends a failed message again, or takes it back. */
  retry(clientMessageId: string): void;
  discard(clientMessageId: string): void;
  /** These are shown at once, and taken back if the service refuses. @throws RoomcastError */
  edit(messageId: string, content: string): Promise<void>;
  remove(messageId: string): Promise<void>;
  react(messageId: string, emoji: string): Promise<void>;
  /** To be called at every key; tells the others now and then. */
  type(): void;
  /** Marks all that is loaded as read. */
  markRead(): void;
  loadOlder(): Promise<void>;
  /** Reads the room anew: its name, its members. */
  refresh(): void;
};

const INITIAL: RoomState = {
  status: "connecting",
  why: undefined,
  room: undefined,
  messages: [],
  isLoading: true,
  hasOlder: false,
  error: undefined,
  online: [],
  onlineCount: 0,
  typing: [],
  reads: new Map(),
};

class RoomStore extends Store<RoomState> {
  readonly #session: Session;
  readonly #roomId: string;
  readonly #outbox: ReturnType<typeof outboxes.of>;
  readonly #retrying = new Retrying();
  readonly #people = new RoomPeople(() => this.become(this.#people.state));
  readonly #typing = new TypingSign(() => this.#socket?.send("typing", { isTyping: true }));
  readonly #mark = new ReadMark((seq) => this.#socket?.send("read", { seq }));
  #log: RoomLog;
  #socket: RoomcastSocket<typeof SOCKET> | undefined;
  #leave: (() => void)[] = [];

  constructor(session: Session, roomId: string) {
    super(INITIAL);
    this.#session = session;
    this.#roomId = roomId;
    this.#outbox = outboxes.of(session);
    this.#log = new RoomLog(session.userId);
  }

  protected start(): void {
    this.#log = new RoomLog(this.#session.userId);
    const socket = this.#session.open(SOCKET, {
      params: { roomId: this.#roomId },
      onStatus: (status, why) => this.#became(status, why),
      onResync: () => this.#startAnew(),
    });
    this.#socket = socket;
    this.#listen(socket);
    this.#leave = [
      this.#outbox.openDoor(this.#roomId, {
        send: (message) => socket.send("send_message", message),
        onSent: (clientMessageId, message) => this.#log.sent(clientMessageId, message),
      }),
      this.#outbox.subscribe(() => this.#draw()),
    ];
    this.#draw();
  }

  protected stop(): void {
    this.#retrying.stop();
    this.#mark.stop();
    this.#people.clear();
    this.#socket?.close();
    this.#socket = undefined;
    for (const leave of this.#leave.splice(0)) leave();
  }

  // ── What comes ────────────────────────────────────────────────────────────────────────────────────────────────────

  #listen(socket: RoomcastSocket<typeof SOCKET>): void {
    const people = this.#people;
    socket.on("new_message", (message) => {
      people.stopped(message.userId);
      this.#apply(() => this.#log.said(message));
      this.become(people.state);
    });
    socket.on("message_updated", (message) => this.#apply(() => this.#log.edited(message)));
    socket.on("message_deleted", ({ messageId }) => this.#apply(() => this.#log.remove(messageId)));
    socket.on("reaction", (reaction) => this.#apply(() => this.#log.reacted(reaction)));
    socket.on("room_updated", () => this.refresh());
    socket.on("online_users", (users) => people.here(users));
    socket.on("user_joined", (user) => people.joined(user));
    socket.on("user_left", (user) => people.left(user));
    socket.on("presence", (crowd) => people.crowd(crowd));
    socket.on("typing", (sign) => people.typed(sign));
    socket.on("read", (mark) => people.read(mark));
  }

  #apply(change: () => void): void {
    this.#log.apply(change);
    this.#draw();
  }

  #draw(): void {
    const outgoing = this.#outbox.getState().messages.filter(({ data }) => data.roomId === this.#roomId);
    this.become({ messages: this.#log.entries(outgoing), hasOlder: this.#log.older !== undefined });
  }

  #became(status: SocketStatus, why?: { code: number; reason: string }): void {
    if (status !== "open") this.#people.clear();
    // A connection that ends by itself is no news for who has left.
    if (!this.isLive) return;
    this.become({ status, why, ...this.#people.state });
    // The position in the log is known now: what history lacks follows.
    if (status === "open" && !this.#log.isLoaded) this.#load();
    if (status === "closed") this.become({ isLoading: false });
  }

  #startAnew(): void {
    this.#log.clear();
    this.#load();
  }

  #load(): void {
    const [{ rooms }, param] = [this.#session.api, { id: this.#roomId }];
    this.become({ isLoading: true });
    this.#retrying.run(
      async (isCurrent) => {
        const [room, page] = await Promise.all([
          this.#session.answer(rooms[":id"].$get({ param })),
          this.#session.answer(rooms[":id"].messages.$get({ param, query: { limit: PAGE } })),
        ]);
        if (!isCurrent()) return;
        this.#log.addPage(page);
        this.become({ room, isLoading: false, error: undefined });
        this.#draw();
      },
      (error) => this.become({ error, isLoading: false }),
    );
  }

  // ── What a member does ────────────────────────────────────────────────────────────────────────────────────────────

  readonly actions: RoomActions = {
    send: (said) => {
      this.#typing.stop();
      this.#outbox.add({ roomId: this.#roomId, afterSeq: this.#log.lastSeq, said });
    },
    retry: (clientMessageId) => this.#outbox.retry(clientMessageId),
    discard: (clientMessageId) => this.#outbox.discard(clientMessageId),
    edit: (messageId, content) =>
      this.#showing(
        this.#log.show(messageId, (message) => ({ ...message, content })),
        () => this.#command((socket) => socket.send("edit_message", { messageId, content })),
      ),
    remove: (messageId) =>
      this.#showing(
        this.#log.show(messageId, () => null),
        () => this.#command((socket) => socket.send("delete_message", { messageId })),
      ),
    react: (messageId, emoji) => {
      const action = this.#log.hasReacted(messageId, emoji) ? "removed" : "added";
      return this.#showing(this.#log.showReaction(messageId, emoji, action), () =>
        this.#command((socket) => socket.send("reaction", { messageId, emoji, action })),
      );
    },
    type: () => this.#typing.type(),
    markRead: () => {
      if (this.#log.lastSeq > 0) this.#mark.move(this.#log.lastSeq);
    },
    loadOlder: () => this.#loadOlder(),
    refresh: () => this.refresh(),
  };

  /** Shows a change until the room has answered, by then with the room's own news of it. */
  async #showing(undo: () => void, work: () => Promise<unknown>): Promise<void> {
    this.#draw();
    try {
      await work();
    } finally {
      undo();
      this.#draw();
    }
  }

  /** These do no harm twice, so a connection that dropped before the answer is no end. */
  async #command(send: (socket: RoomcastSocket<typeof SOCKET>) => Promise<unknown>): Promise<void> {
    if (!this.#socket) return;
    try {
      await send(this.#socket);
    } catch (error) {
      if (asError(error).code !== "CONNECTION_LOST") throw error;
      await send(this.#socket);
    }
  }

  async #loadOlder(): Promise<void> {
    const { older: before } = this.#log;
    if (before === undefined || this.getState().isLoading) return;
    this.become({ isLoading: true });
    this.#log.hold();
    try {
      const call = this.#session.api.rooms[":id"].messages.$get({
        param: { id: this.#roomId },
        query: { limit: PAGE, before },
      });
      this.#log.addPage(await this.#session.answer(call));
      this.become({ isLoading: false, error: undefined });
    } catch (error) {
      this.#log.release();
      this.become({ isLoading: false, error: asError(error) });
    }
    this.#draw();
  }

  refresh(): void {
    const call = this.#session.api.rooms[":id"].$get({ param: { id: this.#roomId } });
    this.#session.answer(call).then(
      (room) => this.isLive && this.become({ room }),
      (error: unknown) => this.isLive && this.become({ error: asError(error) }),
    );
  }
}

const rooms = new Stores((session, roomId) => new RoomStore(session, roomId));

/** A room, opened while the component is shown. @throws Error outside a RoomcastProvider */
export function useRoom(roomId: string): RoomState & RoomActions {
  const store = rooms.of(useSession(), roomId);
  const state = useStore(store);
  return useMemo(() => ({ ...state, ...store.actions }), [state, store]);
}
