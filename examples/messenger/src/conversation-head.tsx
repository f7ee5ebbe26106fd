/** Who one talks to, whether they are here or type, and what can be opened beside. */
import { type RoomState, usePresence, useSession } from "@roomcast/react";
import { Avatar } from "./avatar.tsx";
import { Icon, IconButton } from "./icons.tsx";
import { lastSeen, nameOf, titleOf, typingText } from "./words.ts";

export type Panel = "search" | "members" | undefined;

type HeadProps = { room: RoomState; panel: Panel; onPanel: (panel: Panel) => void };

export function ConversationHead({ room: state, panel, onPanel }: HeadProps) {
  const { room } = state;
  const title = room ? titleOf(room) : "…";
  return (
    <header className="conversation-head">
      <a className="button icon back" href="#/" aria-label="All conversations">
        <Icon name="back" />
      </a>
      <Avatar name={title} url={room?.peer?.avatarUrl ?? null} />
      <div className="who">
        <h1 className="cut">{title}</h1>
        <p className="muted cut" aria-live="polite">
          <Line state={state} />
        </p>
      </div>
      <IconButton
        name="search"
        label="Search in this conversation"
        isPressed={panel === "search"}
        onClick={() => onPanel("search")}
      />
      <IconButton name="people" label="Members" isPressed={panel === "members"} onClick={() => onPanel("members")} />
    </header>
  );
}

/** The most pressing of what is to be known. */
function Line({ state }: { state: RoomState }) {
  const { userId } = useSession();
  const { status, room, typing, onlineCount } = state;
  const names = typing.filter((one) => one.userId !== userId).map((one) => nameIn(state, one));
  if (room && status !== "open") return <span className="offline">Connecting…</span>;
  if (names.length > 0) return <span className="typing">{typingText(names)}</span>;
  if (!room) return "…";
  if (room.peer) return <PeerLine userId={room.peer.id} />;
  return `${room.memberCount} member${room.memberCount === 1 ? "" : "s"}, ${onlineCount} here now`;
}

function nameIn({ room }: RoomState, { userId, username }: { userId: number; username: string }): string {
  const member = room?.members.find(({ id }) => id === userId);
  return member ? nameOf(member) : username;
}

function PeerLine({ userId }: { userId: number }) {
  const { isOnline, lastSeen: at } = usePresence(userId);
  if (isOnline === undefined) return " ";
  return isOnline ? "online" : lastSeen(at);
}
