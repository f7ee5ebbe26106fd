/** Who belongs to a conversation and who is here; a group is renamed, added to and left. */
import type { Schema } from "@roomcast/client";
import { type OnlineUser, type Session, useSession } from "@roomcast/react";
import { type FormEvent, useState } from "react";
import { Avatar } from "./avatar.tsx";
import { Panel } from "./panel.tsx";
import { PeopleField } from "./people-field.tsx";
import { nameOf, problemOf } from "./words.ts";

type Room = Schema["RoomWithMembers"];
type MembersProps = {
  room: Room;
  online: readonly OnlineUser[];
  onChange: () => void;
  onLeft: () => void;
  onClose: () => void;
};

export function Members({ room, online, onChange, onLeft, onClose }: MembersProps) {
  const session = useSession();
  const [problem, setProblem] = useState("");
  const isOwner = room.ownerId === session.userId;
  const act = async (work: Promise<unknown>, then: () => void = onChange) => {
    setProblem("");
    await work.then(then, (error: unknown) => setProblem(problemOf(error)));
  };
  const here = new Set(online.map(({ userId }) => userId));
  return (
    <Panel title={room.isGroup ? "Group" : "People"} onClose={onClose}>
      {room.isGroup && isOwner && <Rename room={room} rename={(name) => act(rename(session, room.id, name))} />}
      <p className="problem" role="alert">
        {problem}
      </p>
      <h3>
        {room.memberCount} member{room.memberCount === 1 ? "" : "s"}
      </h3>
      <ul className="people members">
        {room.members.map((member) => (
          <li key={member.id}>
            <Avatar name={nameOf(member)} url={member.avatarUrl} isOnline={here.has(member.id)} />
            <span className="cut">
              {nameOf(member)}
              {member.id === session.userId && <span className="muted"> (you)</span>}
            </span>
            {member.id === room.ownerId && <span className="badge">owner</span>}
            {room.isGroup && isOwner && member.id !== session.userId && (
              <button type="button" className="small" onClick={() => act(remove(session, room.id, member.id))}>
                Remove
              </button>
            )}
          </li>
        ))}
      </ul>
      {room.isGroup && (
        <>
          <PeopleField
            label="Add somebody"
            without={room.members.map(({ id }) => id)}
            onChoose={({ id }) => void act(invite(session, room.id, id))}
          />
          <button
            type="button"
            className="danger leave"
            onClick={() => act(remove(session, room.id, session.userId), onLeft)}
          >
            Leave the group
          </button>
        </>
      )}
    </Panel>
  );
}

const rename = (session: Session, id: string, name: string) =>
  session.answer(session.api.rooms[":id"].$patch({ param: { id }, json: { name } }));
const invite = (session: Session, id: string, userId: number) =>
  session.answer(session.api.rooms[":id"].members.$post({ param: { id }, json: { userId } }));
const remove = (session: Session, id: string, userId: number) =>
  session.answer(session.api.rooms[":id"].members[":userId"].$delete({ param: { id, userId } }));

function Rename({ room, rename }: { room: Room; rename: (name: string) => Promise<void> }) {
  const [name, setName] = useState(room.name ?? "");
  const submit = (event: FormEvent) => {
    event.preventDefault();
    void rename(name.trim());
  };
  return (
    <form className="rename" onSubmit={submit}>
      <input
        value={name}
        maxLength={100}
        aria-label="Name of the group"
        onChange={({ target }) => setName(target.value)}
      />
      <button type="submit" disabled={name.trim() === "" || name.trim() === room.name}>
        Rename
      </button>
    </form>
  );
}
