/** Finds people by their name, as one types. */
import type { Schema } from "@roomcast/client";
import { useSession } from "@roomcast/react";
import { useEffect, useState } from "react";
import { Avatar } from "./avatar.tsx";
import { nameOf, problemOf } from "./words.ts";

type Person = Schema["PersonListed"];
const SEARCH_AFTER_MS = 250;

type PeopleFieldProps = { label: string; without: readonly number[]; onChoose: (person: Person) => void };

export function PeopleField({ label, without, onChoose }: PeopleFieldProps) {
  const [search, setSearch] = useState("");
  const { people, problem } = usePeople(search);
  const found = people?.filter(({ id }) => !without.includes(id));
  return (
    <div className="people-field">
      <label>
        {label}
        <input
          type="search"
          value={search}
          placeholder="Name or username"
          autoComplete="off"
          onChange={({ target }) => setSearch(target.value)}
        />
      </label>
      {problem && <p className="problem">{problem}</p>}
      <ul className="people">
        {found?.map((person) => (
          <li key={person.id}>
            <button type="button" onClick={() => onChoose(person)}>
              <Avatar name={nameOf(person)} url={person.avatarUrl} />
              <span className="cut">{nameOf(person)}</span>
              <span className="muted cut">@{person.username}</span>
            </button>
          </li>
        ))}
      </ul>
      {found?.length === 0 && (
        <p className="muted none">{search ? `Nobody is called “${search}”.` : "Nobody else has an account yet."}</p>
      )}
    </div>
  );
}

/** An answer to what was typed before is passed over. */
function usePeople(search: string): { people: readonly Person[] | undefined; problem: string } {
  const session = useSession();
  const [found, setFound] = useState<{ people: readonly Person[] | undefined; problem: string }>({
    people: undefined,
    problem: "",
  });
  useEffect(() => {
    let isCurrent = true;
    const timer = setTimeout(async () => {
      try {
        const { users } = await session.answer(session.api.users.$get({ query: { search, limit: 20 } }));
        if (isCurrent) setFound({ people: users, problem: "" });
      } catch (error) {
        if (isCurrent) setFound({ people: undefined, problem: problemOf(error) });
      }
    }, SEARCH_AFTER_MS);
    return () => {
      isCurrent = false;
      clearTimeout(timer);
    };
  }, [session, search]);
  return found;
}
