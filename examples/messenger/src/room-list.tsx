/** The user's rooms, the latest talk first; a field finds one by its name. */
import type { RoomcastError, Schema } from "@roomcast/client";
import { usePresence, useSession } from "@roomcast/react";
import { useEffect, useRef, useState } from "react";
import { Avatar } from "./avatar.tsx";
import { IconButton } from "./icons.tsx";
import { usePush } from "./push.ts";
import { hrefOf } from "./route.ts";
import { problemOf, shortTime, titleOf } from "./words.ts";

type Room = Schema["Room"];

type RoomListProps = {
  rooms: readonly Room[] | undefined;
  error: RoomcastError | undefined;
  openId: string | undefined;
  onNew: () => void;
};

export function RoomList({ rooms, error, openId, onNew }: RoomListProps) {
  const [filter, setFilter] = useState("");
  const field = useFocusByKey("k");
  const push = usePush();
  const found = (rooms ?? []).filter((room) => titleOf(room).toLowerCase().includes(filter.trim().toLowerCase()));
  return (
    <nav className="rooms" aria-label="Conversations">
      <header>
        <h1>Chat</h1>
        {push.isOffered && (
          <IconButton
            name="bell"
            label="Notify me on this device when I am away"
            isPressed={push.isOn}
            onClick={() => void push.toggle()}
          />
        )}
        <IconButton name="add" label="New conversation" onClick={onNew} />
      </header>
      {push.problem && <p className="note warn">{push.problem}</p>}
      <input
        ref={field}
        type="search"
        className="filter"
        placeholder="Find a conversation"
        aria-label="Find a conversation"
        aria-keyshortcuts="Control+K"
        value={filter}
        onChange={({ target }) => setFilter(target.value)}
      />
      {error && <p className="note warn">{problemOf(error)}</p>}
      {rooms ? (
        <ul>
          {found.map((room) => (
            <li key={room.id}>
              <RoomLink room={room} isOpen={room.id === openId} />
            </li>
          ))}
        </ul>
      ) : (
        !error && <Waiting />
      )}
      {rooms && found.length === 0 && (
        <div className="empty">
          {rooms.length === 0 ? (
            <>
              <p>No conversations yet.</p>
              <button type="button" onClick={onNew}>
                Start one
              </button>
            </>
          ) : (
            <p>None is called “{filter.trim()}”.</p>
          )}
        </div>
      )}
    </nav>
  );
}

/** Ctrl or ⌘ and a letter move the focus there. */
function useFocusByKey(key: string) {
  const ref = useRef<HTMLInputElement>(null);
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      if (!(event.ctrlKey || event.metaKey) || event.key !== key) return;
      event.preventDefault();
      ref.current?.focus();
    };
    addEventListener("keydown", press);
    return () => removeEventListener("keydown", press);
  }, [key]);
  return ref;
}

/** The shape of what is to come. */
const Waiting = () => (
  <ul className="waiting" aria-hidden="true">
    {[0, 1, 2, 3].map((row) => (
      <li key={row}>
        <span className="avatar" />
        <span className="bone" />
      </li>
    ))}
  </ul>
);

function RoomLink({ room, isOpen }: { room: Room; isOpen: boolean }) {
  const title = titleOf(room);
  const unread = isOpen ? 0 : room.unreadCount;
  return (
    <a href={hrefOf(room.id)} aria-current={isOpen ? "page" : undefined} className={unread > 0 ? "unread" : ""}>
      {room.peer ? <Peer userId={room.peer.id} name={title} url={room.peer.avatarUrl} /> : <Avatar name={title} />}
      <span className="title cut">{title}</span>
      {room.lastMessage && <time dateTime={room.lastMessage.createdAt}>{shortTime(room.lastMessage.createdAt)}</time>}
      <LastMessage room={room} />
      {unread > 0 && (
        <span className="count">
          {unread > 99 ? "99+" : unread}
          <span className="unseen"> unread</span>
        </span>
      )}
    </a>
  );
}

function Peer({ userId, name, url }: { userId: number; name: string; url: string | null }) {
  const { isOnline } = usePresence(userId);
  return <Avatar name={name} url={url} isOnline={isOnline} />;
}

function LastMessage({ room: { lastMessage, isGroup, memberCount } }: { room: Room }) {
  const { userId } = useSession();
  if (!lastMessage) return <span className="last cut">{isGroup ? `${memberCount} members` : "Say hello"}</span>;
  const text = lastMessage.content || (lastMessage.fileUrl ? "sent a file" : "deleted");
  const isMine = lastMessage.userId === userId;
  const author = isMine ? "You: " : isGroup ? `${lastMessage.username}: ` : "";
  return (
    <span className="last cut">
      {author}
      {text}
    </span>
  );
}
