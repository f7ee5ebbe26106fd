/** Signed out: a way in. Signed in: rooms at the side, one of them open. */
import { RoomcastProvider, useRooms } from "@roomcast/react";
import { useCallback, useState } from "react";
import { Conversation } from "./conversation.tsx";
import { Gate } from "./gate.tsx";
import { NewRoom } from "./new-room.tsx";
import { RoomList } from "./room-list.tsx";
import { useClickedPush } from "./push.ts";
import { leaveRoom, openRoom, useOpenRoom } from "./route.ts";
import { dropSession, type Session, useCurrentSession } from "./session.ts";

export function App() {
  const session = useCurrentSession();
  return session ? <SignedIn key={session.user.id} session={session} /> : <Gate />;
}

function SignedIn({ session: { token, user } }: { session: Session }) {
  const signOut = useCallback(() => dropSession("Your session has ended. Please sign in again."), []);
  return (
    <RoomcastProvider url={location.origin} token={token} userId={user.id} storage={localStorage} onSignedOut={signOut}>
      <Messenger />
    </RoomcastProvider>
  );
}

function Messenger() {
  const { rooms, error, create, refresh } = useRooms();
  const roomId = useOpenRoom();
  const [isMaking, setMaking] = useState(false);
  useClickedPush();
  const closed = useCallback(() => {
    leaveRoom();
    refresh();
  }, [refresh]);
  return (
    <div className="messenger" data-open={roomId !== undefined}>
      <RoomList rooms={rooms} error={error} openId={roomId} onNew={() => setMaking(true)} />
      {roomId === undefined ? (
        <Nothing isNew={rooms?.length === 0} onNew={() => setMaking(true)} />
      ) : (
        <Conversation key={roomId} roomId={roomId} onChange={refresh} onClosed={closed} />
      )}
      {isMaking && (
        <NewRoom
          create={create}
          onDone={(room) => {
            setMaking(false);
            if (room) openRoom(room.id);
          }}
        />
      )}
    </div>
  );
}

/** Beside the list, where no room is open; on a phone the list has all the room. */
function Nothing({ isNew, onNew }: { isNew: boolean; onNew: () => void }) {
  return (
    <section className="conversation nothing" aria-label="Conversation">
      <div>
        <h1>{isNew ? "Welcome" : "Choose a conversation"}</h1>
        <p className="muted">
          {isNew
            ? "Nobody has written yet. Find somebody, or make a group."
            : "What is said in it shows here, as it is said."}
        </p>
        <button type="button" className="primary" onClick={onNew}>
          New conversation
        </button>
      </div>
    </section>
  );
}
