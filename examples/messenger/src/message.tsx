/** One message: who said it, what it answers, its file, its reactions, how far it has come, and what can be done with it. */
import { type RoomEntry, useSession } from "@roomcast/react";
import type { KeyboardEvent } from "react";
import { Attachment } from "./attachment.tsx";
import { Avatar } from "./avatar.tsx";
import { EmojiButton } from "./emoji.tsx";
import { Icon, IconButton } from "./icons.tsx";
import { clockTime, hueOf } from "./words.ts";

type MessageProps = {
  message: RoomEntry;
  /** The first of those that stand together. */
  isFirst: boolean;
  /** Tab comes here: one of the list. */
  isCurrent: boolean;
  isSeen: boolean;
  isGroup: boolean;
  /** null: it is not loaded, or gone. */
  repliedTo: RoomEntry | null | undefined;
  onCurrent: () => void;
  onReply: (message: RoomEntry) => void;
  onEdit: (message: RoomEntry) => void;
  onRemove: (messageId: string) => void;
  onReact: (messageId: string, emoji: string) => void;
  onRetry: () => void;
  onDiscard: () => void;
};

export function Message(props: MessageProps) {
  const { message, isFirst, isCurrent, isGroup, repliedTo, onCurrent } = props;
  const { userId } = useSession();
  const isMine = message.userId === userId;
  const isSent = message.state === "sent";
  const press = (event: KeyboardEvent<HTMLLIElement>) => {
    if (event.target !== event.currentTarget || !isSent) return;
    if (event.key === "r") props.onReply(message);
    else if (event.key === "e" && isMine) props.onEdit(message);
    else if (event.key === "Delete" && isMine) props.onRemove(message.id);
    else return;
    event.preventDefault();
  };
  const kinds = ["message", isMine && "mine", isFirst && "first", message.state].filter(Boolean).join(" ");
  return (
    <li className={kinds} data-id={message.id} tabIndex={isCurrent ? 0 : -1} onFocus={onCurrent} onKeyDown={press}>
      {!isMine && isGroup && isFirst && <Avatar name={message.username} url={message.avatarUrl} size="small" />}
      <div className="body">
        {!isMine && isGroup && isFirst && <b className={`author hue-${hueOf(message.username)}`}>{message.username}</b>}
        <div className="bubble">
          {repliedTo !== undefined && <Quote message={repliedTo} />}
          {message.fileUrl && <Attachment url={message.fileUrl} type={message.type} />}
          {message.content && <p className="prose">{message.content}</p>}
          {!message.content && !message.fileUrl && !isSent && <p className="muted">A file…</p>}
          <Facts message={message} isMine={isMine} isSeen={props.isSeen} />
        </div>
        <Reactions message={message} userId={userId} isCurrent={isCurrent} onReact={props.onReact} />
        {message.state === "failed" && <Failed {...props} />}
        {isSent && <Acts {...props} isMine={isMine} />}
      </div>
    </li>
  );
}

const Quote = ({ message }: { message: RoomEntry | null }) => (
  <blockquote>
    {message ? (
      <>
        <b className="cut">{message.username || "You"}</b>
        <span className="cut">{message.content || "a file"}</span>
      </>
    ) : (
      <span className="cut">An earlier message</span>
    )}
  </blockquote>
);

type FactsProps = { message: RoomEntry; isMine: boolean; isSeen: boolean };

function Facts({ message, isMine, isSeen }: FactsProps) {
  return (
    <span className="facts">
      {message.editedAt && "edited "}
      <time dateTime={message.createdAt}>{clockTime(message.createdAt)}</time>
      {isMine && <State state={message.state} isSeen={isSeen} />}
    </span>
  );
}

function State({ state, isSeen }: { state: RoomEntry["state"]; isSeen: boolean }) {
  const [name, words] =
    state === "sending"
      ? (["clock", "on its way"] as const)
      : state === "failed"
        ? (["failed", "not sent"] as const)
        : isSeen
          ? (["checks", "seen"] as const)
          : (["check", "sent"] as const);
  return (
    <span className={`state ${words === "seen" ? "seen" : ""}`} title={words}>
      <Icon name={name} size={15} />
      <span className="unseen">{words}</span>
    </span>
  );
}

type ReactionsProps = Pick<MessageProps, "message" | "isCurrent" | "onReact"> & { userId: number };

function Reactions({ message, userId, isCurrent, onReact }: ReactionsProps) {
  if (message.reactions.length === 0) return null;
  return (
    <ul className="reactions" aria-label="Reactions">
      {message.reactions.map(({ emoji, count, userIds }) => (
        <li key={emoji}>
          <button
            type="button"
            aria-pressed={userIds.includes(userId)}
            aria-label={`${emoji}, ${count}`}
            tabIndex={isCurrent ? 0 : -1}
            onClick={() => onReact(message.id, emoji)}
          >
            {emoji} <span>{count}</span>
          </button>
        </li>
      ))}
    </ul>
  );
}

const Failed = ({ message, onRetry, onDiscard }: MessageProps) => (
  <p className="failure" role="alert">
    Not sent. {message.error?.message}{" "}
    <button type="button" className="plain" onClick={onRetry}>
      Try again
    </button>{" "}
    <button type="button" className="plain" onClick={onDiscard}>
      Discard
    </button>
  </p>
);

function Acts({ message, isMine, isCurrent, onReply, onEdit, onRemove, onReact }: MessageProps & { isMine: boolean }) {
  const tabIndex = isCurrent ? 0 : -1;
  const isText = message.type === "text";
  return (
    <div className="acts">
      <EmojiButton label="React" tabIndex={tabIndex} onChoose={(emoji) => onReact(message.id, emoji)} />
      <IconButton name="reply" label="Reply (r)" tabIndex={tabIndex} onClick={() => onReply(message)} />
      {isMine && isText && (
        <IconButton name="edit" label="Edit (e)" tabIndex={tabIndex} onClick={() => onEdit(message)} />
      )}
      {isMine && <IconButton name="remove" label="Delete" tabIndex={tabIndex} onClick={() => onRemove(message.id)} />}
    </div>
  );
}
