/** A room's messages as components show them: what is loaded, what is on its way, and what was just done to it. */
import type { FramesOf, OutgoingState, Schema } from "@roomcast/client";
import { History } from "./history.ts";
import type { OutgoingMessage, SentMessage } from "./outbox.ts";

type Frames = FramesOf<"/rooms/{roomId}/ws">;
type Message = Schema["RoomMessage"];

/** A message, and how far it has come: `sending` and `failed` are one's own that the room does not have. */
export type RoomEntry = Message & {
  /** The same from the moment it is written: for React's `key`. */
  key: string;
  state: OutgoingState;
  /** By which a failed one is retried or discarded. */
  clientMessageId?: string;
  error?: { code: string; message: string } | undefined;
};

type Change = { messageId: string; make: (message: Message) => Message | null };

const toMessage = ({ editedAt = null, ...message }: SentMessage, reactions: Message["reactions"]): Message => ({
  ...message,
  editedAt,
  reactions,
});

export class RoomLog extends History<Message> {
  readonly #userId: number;
  /** One's own that were sent from here: id → the key they were written under. */
  readonly #keys = new Map<string, string>();
  /** What the person did that the room has not answered yet. */
  readonly #changes = new Set<Change>();

  constructor(userId: number) {
    super();
    this.#userId = userId;
  }

  said(message: SentMessage): void {
    if (message.isDeleted) this.remove(message.id);
    else this.put(toMessage(message, this.get(message.id)?.reactions ?? []));
  }

  /** An older one that is not loaded stays so: it would stand before a gap. */
  edited(message: SentMessage): void {
    if (this.get(message.id)) this.said(message);
  }

  /** One's own, from here. */
  sent(clientMessageId: string, message: SentMessage): void {
    this.#keys.set(message.id, clientMessageId);
    if (!this.get(message.id)) this.said(message);
  }

  reacted({
    messageId,
    emoji,
    action,
    count,
    userId,
  }: Omit<Frames["reaction"], "roomId" | "room_id" | "user_id" | "message_id">): void {
    this.update(messageId, (message) => withReaction(message, { emoji, action, count, userId }));
  }

  /** Shows a change at once. @returns a function that takes it back, when the room has answered */
  show(messageId: string, make: Change["make"]): () => void {
    const change = { messageId, make };
    this.#changes.add(change);
    return () => void this.#changes.delete(change);
  }

  /** Shows a reaction of one's own at once. */
  showReaction(messageId: string, emoji: string, action: "added" | "removed"): () => void {
    return this.show(messageId, (message) => withReaction(message, { emoji, action, userId: this.#userId }));
  }

  /** Whether it is among one's own reactions. */
  hasReacted(messageId: string, emoji: string): boolean {
    const changed = this.#changed(this.get(messageId));
    return changed?.reactions.some((one) => one.emoji === emoji && one.userIds.includes(this.#userId)) ?? false;
  }

  /** All, oldest first; those on their way at the end. */
  entries(outgoing: readonly OutgoingMessage[]): RoomEntry[] {
    const echoes = this.#echoes(outgoing);
    const shown = this.messages.filter(({ id }) => !echoes.has(id)).map((message) => this.#changed(message));
    const sent = shown.filter((message) => message !== null).map((message) => this.#entry(message));
    return [...sent, ...outgoing.map((message) => onItsWay(message, this.#userId))];
  }

  #entry(message: Message): RoomEntry {
    return { ...message, key: this.#keys.get(message.id) ?? message.id, state: "sent" };
  }

  #changed(message: Message | undefined): Message | null {
    let changed = message ?? null;
    for (const { messageId, make } of this.#changes) if (changed?.id === messageId) changed = make(changed);
    return changed;
  }

  /** One's own that have come by the socket or with history, before their answer has: shown once, as on their way. */
  #echoes(outgoing: readonly OutgoingMessage[]): Set<string> {
    const echoes = new Set<string>();
    const candidates = this.messages.filter(({ id, userId }) => userId === this.#userId && !this.#keys.has(id));
    for (const { data, state } of outgoing) {
      if (state !== "sending") continue;
      const { content = "", replyTo = null } = data.said;
      const echo = candidates.find(
        (one) =>
          one.seq > data.afterSeq &&
          plain(one.content) === plain(content) &&
          one.replyTo === replyTo &&
          !echoes.has(one.id),
      );
      if (echo) echoes.add(echo.id);
    }
    return echoes;
  }
}

/** The service writes text so that it is no markup, and composed. */
const plain = (text: string): string => text.replaceAll("\u2060", "").normalize("NFC").trim();

type Reacted = { emoji: string; action: "added" | "removed"; count?: number; userId: number | null };

/** `count` is the room's word; without it, one more or less. */
function withReaction(message: Message, { emoji, action, count, userId }: Reacted): Message {
  const before = message.reactions.find((one) => one.emoji === emoji) ?? { emoji, count: 0, userIds: [] };
  const others = before.userIds.filter((id) => id !== userId);
  const wasIn = others.length < before.userIds.length;
  const isIn = action === "added";
  const counted = count ?? before.count + Number(isIn) - Number(wasIn);
  const after = { emoji, count: counted, userIds: isIn && userId !== null ? [...others, userId] : others };
  const isKnown = message.reactions.some((one) => one.emoji === emoji);
  const reactions = isKnown
    ? message.reactions.map((one) => (one.emoji === emoji ? after : one))
    : [...message.reactions, after];
  return { ...message, reactions: reactions.filter((one) => one.count > 0) };
}

function onItsWay({ clientMessageId, createdAt, data, state, error }: OutgoingMessage, userId: number): RoomEntry {
  const { content = "", type = "text", fileUrl = null, replyTo = null } = data.said;
  return {
    id: clientMessageId,
    key: clientMessageId,
    clientMessageId,
    roomId: data.roomId,
    seq: Number.POSITIVE_INFINITY,
    userId,
    username: "",
    avatarUrl: null,
    content,
    type,
    fileUrl,
    replyTo,
    createdAt: new Date(createdAt).toISOString(),
    editedAt: null,
    reactions: [],
    state,
    error,
  };
}
