/** A new conversation: with one person, or as a group with a name. */
import type { Schema } from "@roomcast/client";
import { type NewRoom as Wanted, useSession } from "@roomcast/react";
import { type FormEvent, useState } from "react";
import { Avatar } from "./avatar.tsx";
import { Dialog } from "./dialog.tsx";
import { PeopleField } from "./people-field.tsx";
import { nameOf, problemOf } from "./words.ts";

type Room = Schema["Room"];
type Person = Schema["PersonListed"];
type NewRoomProps = { create: (room: Wanted) => Promise<Room>; onDone: (room?: Room) => void };

export function NewRoom({ create, onDone }: NewRoomProps) {
  const { userId } = useSession();
  const [isGroup, setGroup] = useState(false);
  const [name, setName] = useState("");
  const [members, setMembers] = useState<readonly Person[]>([]);
  const [problem, setProblem] = useState("");
  const make = (room: Wanted) => create(room).then(onDone, (error: unknown) => setProblem(problemOf(error)));
  const choose = (person: Person) => {
    if (!isGroup) void make({ isGroup: false, memberIds: [person.id] });
    else if (!members.some(({ id }) => id === person.id)) setMembers([...members, person]);
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    void make({ isGroup: true, name: name.trim(), memberIds: members.map(({ id }) => id) });
  };
  return (
    <Dialog title="New conversation" onClose={() => onDone()}>
      <div className="kinds">
        <Kind isChosen={!isGroup} onChoose={() => setGroup(false)}>
          Message a person
        </Kind>
        <Kind isChosen={isGroup} onChoose={() => setGroup(true)}>
          Make a group
        </Kind>
      </div>
      <form className="form" onSubmit={submit}>
        {isGroup && (
          <label>
            Name of the group
            <input value={name} maxLength={100} required onChange={({ target }) => setName(target.value)} />
          </label>
        )}
        {isGroup && members.length > 0 && (
          <ul className="chips">
            {members.map((person) => (
              <li key={person.id}>
                <Avatar name={nameOf(person)} url={person.avatarUrl} size="small" />
                {nameOf(person)}
                <button
                  type="button"
                  className="plain"
                  aria-label={`Take ${nameOf(person)} out`}
                  onClick={() => setMembers(members.filter(({ id }) => id !== person.id))}
                >
                  ✕
                </button>
              </li>
            ))}
          </ul>
        )}
        <PeopleField
          label={isGroup ? "Add people" : "Who?"}
          without={[userId, ...members.map(({ id }) => id)]}
          onChoose={choose}
        />
        <p className="problem" role="alert">
          {problem}
        </p>
        {isGroup && (
          <button type="submit" className="primary" disabled={name.trim() === ""}>
            Make the group
          </button>
        )}
      </form>
    </Dialog>
  );
}

type KindProps = { isChosen: boolean; onChoose: () => void; children: string };
const Kind = ({ isChosen, onChoose, children }: KindProps) => (
  <button type="button" aria-pressed={isChosen} onClick={onChoose}>
    {children}
  </button>
);
