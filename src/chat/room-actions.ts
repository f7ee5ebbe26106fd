/** What members may do in a room besides talking: show that they type, how far they have read, and see who is here. */
import type { CommandContext } from "../realtime/commands.ts";
import type { Connection } from "../realtime/connection.ts";
import { encodeFrame } from "../realtime/protocol.ts";
import { ChatActions, type ChatHost } from "./actions.ts";
import type { Conversation } from "./conversation.ts";
import type { RoomDialect } from "./dialect.ts";
import type { Moderation } from "./moderation.ts";
import type { Presence } from "./presence.ts";
import type { ReadMarks } from "./read-marks.ts";
import type { Typing } from "./typing.ts";

type RoomHost = ChatHost<RoomDialect> & {
  readonly presence: Presence;
  readonly typing: Typing;
  readonly marks: ReadMarks;
  /** How far the log goes. */
  head(): number;
  /** A user's mark moved: their connections keep it. */
  keep(userId: number): void;
  /** A connection's state is changed; it is saved with the frame that did it. */
  note(connection: Connection): void;
  markMoved(now: number): void;
};

export class RoomActions extends ChatActions<RoomDialect> {
  readonly #room: RoomHost;

  constructor(conversation: Conversation, moderation: Moderation, room: RoomHost) {
    super(conversation, moderation, room);
    this.#room = room;
  }

  /** @throws AppError FORBIDDEN for who may not write */
  showTyping({ person, connection, now }: CommandContext, isTyping: boolean): void {
    this.moderation.requireVoice(person, now);
    const { typing, presence, dialect } = this.#room;
    if (connection) {
      typing.set(connection, isTyping);
      this.#room.note(connection);
    }
    if (!presence.isCrowd) this.#room.broadcast(encodeFrame(dialect.typing(person, isTyping)), connection);
  }

  /** A mark goes forward, to the end of the log at most. Answers where it is. */
  markRead({ person, now }: CommandContext, upTo: number): { seq: number } {
    const { userId } = person;
    const { marks, presence, dialect } = this.#room;
    if (marks.move(userId, Math.min(upTo, this.#room.head()), now)) {
      this.#room.keep(userId);
      const frame = presence.isCrowd ? null : dialect.read(userId, marks.at(userId));
      if (frame) this.#room.broadcast(encodeFrame(frame));
      this.#room.markMoved(now);
    }
    return { seq: marks.at(userId) };
  }

  /** Who is here, to the connection that asks, and in its ack. */
  showOnline({ connection }: CommandContext): unknown {
    const { presence } = this.#room;
    return (connection ? presence.showTo(connection) : presence.online().frame).data;
  }
}
