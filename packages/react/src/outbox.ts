/** All messages to rooms that are not sent yet, of one person: they go out in order, whichever room is shown. */
import { type CommandsOf, Outbox, type Outgoing, RoomcastError, type Schema } from "@roomcast/client";
import { type Session, Stores, withinSeconds } from "./session.ts";
import { Store } from "./store.ts";

export type Said = Omit<CommandsOf<"/rooms/{roomId}/ws">["send_message"], "clientMessageId">;
export type SentMessage = Omit<Schema["NewRoomMessage"], "editedAt"> & { editedAt?: string | null };
/** `afterSeq`: what the author had seen of the room when they wrote it. */
export type RoomSaid = { roomId: string; afterSeq: number; said: Said };
export type OutgoingMessage = Outgoing<RoomSaid>;

/** How a room that is shown takes part: its socket sends, and it hears what was sent. */
type Door = {
  send: (said: Said & { clientMessageId: string }) => Promise<SentMessage>;
  onSent: (clientMessageId: string, message: SentMessage) => void;
};

class OutboxStore extends Store<{ messages: readonly OutgoingMessage[] }> {
  readonly #session: Session;
  readonly #doors = new Map<string, Door>();
  #outbox: Outbox<RoomSaid, SentMessage> | undefined;

  constructor(session: Session) {
    super({ messages: [] });
    this.#session = session;
  }

  protected start(): void {
    const outbox = new Outbox<RoomSaid, SentMessage>({
      storage: this.#session.storage,
      key: `${this.#session.userId}:rooms`,
      deliver: (message) => this.#deliver(message),
      onSent: ({ data: { roomId }, clientMessageId }, sent) => this.#doors.get(roomId)?.onSent(clientMessageId, sent),
    });
    this.#outbox = outbox;
    outbox.subscribe(() => this.become({ messages: outbox.messages }));
    this.become({ messages: outbox.messages });
  }

  protected stop(): void {
    this.#outbox?.close();
    this.#outbox = undefined;
  }

  /** @returns a function that closes the door */
  openDoor(roomId: string, door: Door): () => void {
    this.#doors.set(roomId, door);
    return () => {
      if (this.#doors.get(roomId) === door) this.#doors.delete(roomId);
    };
  }

  add(message: RoomSaid): void {
    this.#outbox?.add(message);
  }

  retry(clientMessageId: string): void {
    this.#outbox?.retry(clientMessageId);
  }

  discard(clientMessageId: string): void {
    this.#outbox?.discard(clientMessageId);
  }

  /** Over the room's socket, which costs the service least; over REST if the room is not shown. */
  async #deliver({ roomId, said, clientMessageId }: RoomSaid & { clientMessageId: string }): Promise<SentMessage> {
    const door = this.#doors.get(roomId);
    const message = { ...said, clientMessageId };
    if (!door) {
      const { messages } = this.#session.api.rooms[":id"];
      return this.#session.answer(messages.$post({ param: { id: roomId }, json: message }, withinSeconds(15)));
    }
    try {
      return await door.send(message);
    } catch (error) {
      throw isLeft(error) ? new RoomcastError("CONNECTION_LOST", "The room is not shown any more.") : error;
    }
  }
}

/** The room was left while the message waited. */
const isLeft = (error: unknown): boolean =>
  error instanceof RoomcastError && error.code === "CLOSED" && error.closeCode === 1000;

export const outboxes = new Stores((session) => new OutboxStore(session));
export type { OutboxStore };
