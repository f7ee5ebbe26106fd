/** One room: its head, what is said, and where one writes; search and members open beside it. */
import { useRoom } from "@roomcast/react";
import { useCallback, useEffect, useMemo, useState } from "react";
import { Composer, type Draft } from "./composer.tsx";
import { ConversationHead, type Panel } from "./conversation-head.tsx";
import { Dialog } from "./dialog.tsx";
import { MessageList } from "./message-list.tsx";
import { Members } from "./members.tsx";
import { Search } from "./search.tsx";
import { problemOf } from "./words.ts";

type ConversationProps = { roomId: string; onChange: () => void; onClosed: () => void };

/** Why a room that closed for good is not shown. */
const OVER: Record<number, string> = {
  4003: "You are not in this conversation any more.",
  4004: "There is no such conversation, or it was deleted.",
};

export function Conversation({ roomId, onChange, onClosed }: ConversationProps) {
  const room = useRoom(roomId);
  const [panel, setPanel] = useState<Panel>();
  const [draft, setDraft] = useState<Draft>({});
  const [removing, setRemoving] = useState<string>();
  const [problem, setProblem] = useState("");
  const attempt = useCallback((work: Promise<unknown>) => {
    setProblem("");
    work.catch((error: unknown) => setProblem(problemOf(error)));
  }, []);
  const last = room.messages.at(-1);
  // The list at the side shows the same.
  // biome-ignore lint/correctness/useExhaustiveDependencies: a new last message is the reason.
  useEffect(() => onChange(), [last?.id, onChange]);
  const byId = useMemo(() => new Map(room.messages.map((message) => [message.id, message])), [room.messages]);

  if (room.status === "closed")
    return <Over text={OVER[room.why?.code ?? 0] ?? "The connection has ended."} onClosed={onClosed} />;
  return (
    <section className="conversation" aria-label="Conversation">
      <ConversationHead room={room} panel={panel} onPanel={(next) => setPanel(next === panel ? undefined : next)} />
      <div className="talk">
        <MessageList
          room={room}
          byId={byId}
          onReply={(replyTo) => setDraft({ replyTo })}
          onEdit={(editing) => setDraft({ editing })}
          onRemove={setRemoving}
          onReact={(id, emoji) => attempt(room.react(id, emoji))}
        />
        {panel === "search" && <Search roomId={roomId} onClose={() => setPanel(undefined)} />}
        {panel === "members" && room.room && (
          <Members
            room={room.room}
            online={room.online}
            onChange={room.refresh}
            onLeft={onClosed}
            onClose={() => setPanel(undefined)}
          />
        )}
      </div>
      {problem && (
        <p className="note bad" role="alert">
          {problem}
        </p>
      )}
      <Composer
        key={draft.editing?.id ?? "new"}
        roomId={roomId}
        room={room}
        draft={draft}
        onDraft={setDraft}
        attempt={attempt}
      />
      {removing !== undefined && (
        <Dialog title="Delete this message?" onClose={() => setRemoving(undefined)}>
          <p className="muted">It goes for everybody.</p>
          <div className="buttons end">
            <button type="button" onClick={() => setRemoving(undefined)}>
              Keep it
            </button>
            <button
              type="button"
              className="danger primary"
              onClick={() => {
                attempt(room.remove(removing));
                setRemoving(undefined);
              }}
            >
              Delete
            </button>
          </div>
        </Dialog>
      )}
    </section>
  );
}

function Over({ text, onClosed }: { text: string; onClosed: () => void }) {
  return (
    <section className="conversation nothing" aria-label="Conversation">
      <div>
        <h1>{text}</h1>
        <button type="button" onClick={onClosed}>
          All conversations
        </button>
      </div>
    </section>
  );
}
