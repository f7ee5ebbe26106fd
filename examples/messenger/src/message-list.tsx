/** What was said, oldest first: older comes as one scrolls up, the newest stays in view as long as one looks at it. */
import { type RoomActions, type RoomEntry, type RoomState, useSession } from "@roomcast/react";
import { Fragment, type KeyboardEvent, useEffect, useLayoutEffect, useRef, useState } from "react";
import { Icon } from "./icons.tsx";
import { Message } from "./message.tsx";
import { dayName, problemOf, sameDay } from "./words.ts";

type MessageListProps = {
  room: RoomState & RoomActions;
  byId: ReadonlyMap<string, RoomEntry>;
  onReply: (message: RoomEntry) => void;
  onEdit: (message: RoomEntry) => void;
  onRemove: (messageId: string) => void;
  onReact: (messageId: string, emoji: string) => void;
};

/** So near to the end one looks at the newest. */
const NEAR_PX = 80;
/** What one person says within this time stands together. */
const TOGETHER_MS = 5 * 60_000;

export function MessageList({ room, byId, ...acts }: MessageListProps) {
  const { userId } = useSession();
  const { messages, markRead } = room;
  const { scroller, isAtEnd, toEnd, onScroll } = useScroll(room);
  const [current, setCurrent] = useState<string>();
  const firstUnread = useFirstUnread(room, userId);
  const seen = Math.max(0, ...[...room.reads].filter(([id]) => id !== userId).map(([, seq]) => seq));

  // Read is what stands at the end of a page that is looked at.
  const last = messages.at(-1)?.seq;
  useEffect(() => {
    const mark = () => {
      if (isAtEnd && last !== undefined && !document.hidden) markRead();
    };
    mark();
    document.addEventListener("visibilitychange", mark);
    return () => document.removeEventListener("visibilitychange", mark);
  }, [isAtEnd, last, markRead]);

  return (
    <div className="messages" ref={scroller} onScroll={onScroll}>
      {room.error && <p className="note bad">{problemOf(room.error)}</p>}
      {room.hasOlder && <p className="older muted">{room.isLoading ? "Loading…" : " "}</p>}
      {messages.length === 0 && !room.isLoading && !room.error && <Silence isGroup={room.room?.isGroup ?? true} />}
      {messages.length === 0 && room.isLoading && <p className="older muted">Loading…</p>}
      <ol role="log" aria-label="Messages" onKeyDown={moveByArrows}>
        {messages.map((message, index) => {
          const before = messages[index - 1];
          const isNewDay = !before || !sameDay(before.createdAt, message.createdAt);
          return (
            <Fragment key={message.key}>
              {isNewDay && <li className="day">{dayName(message.createdAt)}</li>}
              {message.id === firstUnread && <li className="new">New messages</li>}
              <Message
                message={message}
                isFirst={isNewDay || message.id === firstUnread || !belongs(before, message)}
                isCurrent={current === undefined ? index === messages.length - 1 : current === message.key}
                isSeen={message.seq <= seen}
                isGroup={room.room?.isGroup ?? true}
                repliedTo={message.replyTo === null ? undefined : (byId.get(message.replyTo) ?? null)}
                onCurrent={() => setCurrent(message.key)}
                onRetry={() => room.retry(message.clientMessageId ?? "")}
                onDiscard={() => room.discard(message.clientMessageId ?? "")}
                {...acts}
              />
            </Fragment>
          );
        })}
      </ol>
      {!isAtEnd && (
        <button type="button" className="to-end" aria-label="To the newest message" onClick={toEnd}>
          <Icon name="down" />
        </button>
      )}
    </div>
  );
}

const belongs = (before: RoomEntry | undefined, message: RoomEntry): boolean =>
  before !== undefined &&
  before.userId === message.userId &&
  message.replyTo === null &&
  Date.parse(message.createdAt) - Date.parse(before.createdAt) < TOGETHER_MS;

const Silence = ({ isGroup }: { isGroup: boolean }) => (
  <div className="empty">
    <p>{isGroup ? "Nobody has said anything yet." : "You have not written to each other yet."}</p>
    <p>Say hello.</p>
  </div>
);

/** Up and down move from message to message; Tab goes into the one that has the focus. */
function moveByArrows(event: KeyboardEvent<HTMLOListElement>): void {
  const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
  const { target } = event;
  if (step === undefined || !(target instanceof HTMLElement) || !target.classList.contains("message")) return;
  event.preventDefault();
  const all = [...event.currentTarget.querySelectorAll<HTMLElement>(".message")];
  all[all.indexOf(target) + step]?.focus();
}

/** The first message that was unread when the room was opened; the line above it stays. */
function useFirstUnread({ room, messages, isLoading }: RoomState, userId: number): string | undefined {
  const [first, setFirst] = useState<string | null>();
  if (first === undefined && room && !isLoading) {
    const others = messages.filter((message) => message.userId !== userId);
    const { unreadCount } = room;
    setFirst((unreadCount > 0 ? others.at(-Math.min(unreadCount, others.length))?.id : null) ?? null);
  }
  return first ?? undefined;
}

function useScroll({ messages, hasOlder, isLoading, loadOlder }: RoomState & RoomActions) {
  const scroller = useRef<HTMLDivElement>(null);
  const [isAtEnd, setAtEnd] = useState(true);
  const height = useRef(0);
  const first = messages[0]?.key;
  const firstBefore = useRef(first);
  const last = messages.at(-1);

  const toEnd = () => scroller.current?.scrollTo({ top: scroller.current.scrollHeight });
  // biome-ignore lint/correctness/useExhaustiveDependencies: what is drawn has changed.
  useLayoutEffect(() => {
    const element = scroller.current;
    if (!element) return;
    // What came above moves nothing of what one reads.
    if (first !== firstBefore.current && !isAtEnd) element.scrollTop += element.scrollHeight - height.current;
    else if (isAtEnd || last?.state === "sending") element.scrollTop = element.scrollHeight;
    firstBefore.current = first;
    height.current = element.scrollHeight;
  }, [messages]);

  const onScroll = () => {
    const element = scroller.current;
    if (!element) return;
    setAtEnd(element.scrollHeight - element.scrollTop - element.clientHeight < NEAR_PX);
    if (element.scrollTop < NEAR_PX && hasOlder && !isLoading) void loadOlder();
  };
  // A keyboard that comes up, or a picture that has loaded, keeps the end in view.
  useEffect(() => {
    const element = scroller.current;
    if (!element) return;
    const keep = () => {
      if (isAtEnd) element.scrollTop = element.scrollHeight;
    };
    const observer = new ResizeObserver(keep);
    observer.observe(element);
    for (const child of element.children) observer.observe(child);
    return () => observer.disconnect();
  }, [isAtEnd]);
  return { scroller, isAtEnd, toEnd, onScroll };
}
