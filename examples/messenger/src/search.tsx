/** Searches what was said here. */
import type { Schema } from "@roomcast/client";
import { useSession } from "@roomcast/react";
import { type FormEvent, useState } from "react";
import { Panel } from "./panel.tsx";
import { clockTime, dayName, problemOf } from "./words.ts";

type Found = Schema["RoomMessage"];
type Page = { messages: readonly Found[]; nextCursor: string | null };

export function Search({ roomId, onClose }: { roomId: string; onClose: () => void }) {
  const session = useSession();
  const [words, setWords] = useState("");
  const [page, setPage] = useState<Page & { words: string }>();
  const [problem, setProblem] = useState("");
  const look = async (q: string, known: readonly Found[], before?: string) => {
    setProblem("");
    try {
      const call = session.api.rooms[":id"].messages.search.$get({ param: { id: roomId }, query: { q, before } });
      const { messages, nextCursor } = await session.answer(call);
      setPage({ words: q, messages: [...known, ...messages], nextCursor });
    } catch (error) {
      setProblem(problemOf(error));
    }
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (words.trim()) void look(words.trim(), []);
  };
  const older = page?.nextCursor;
  return (
    <Panel title="Search" onClose={onClose}>
      <search>
        <form onSubmit={submit}>
          <input
            type="search"
            // biome-ignore lint/a11y/noAutofocus: whoever opens it wants to type.
            autoFocus
            value={words}
            maxLength={100}
            placeholder="Words that were said"
            aria-label="Words"
            enterKeyHint="search"
            onChange={({ target }) => setWords(target.value)}
          />
        </form>
      </search>
      <p className="problem" role="alert">
        {problem}
      </p>
      <div aria-live="polite">
        {!page && !problem && <p className="muted hint">Type words and press Enter. Parts of words are found, too.</p>}
        {page?.messages.length === 0 && !older && <p className="muted hint">Nobody has said “{page.words}” here.</p>}
        <ul className="found">
          {page?.messages.map((message) => (
            <li key={message.id}>
              <p className="muted">
                <b>{message.username}</b> {dayName(message.createdAt)}, {clockTime(message.createdAt)}
              </p>
              <p className="prose">
                <Marked text={message.content} words={page.words} />
              </p>
            </li>
          ))}
        </ul>
      </div>
      {page && older && (
        <button type="button" className="small" onClick={() => void look(page.words, page.messages, older)}>
          Older
        </button>
      )}
    </Panel>
  );
}

/** The words that were looked for stand out. */
function Marked({ text, words }: { text: string; words: string }) {
  const wanted = words.toLowerCase().split(/\s+/).filter(Boolean);
  const pattern = new RegExp(`(${wanted.map((word) => word.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")).join("|")})`, "iu");
  return text.split(new RegExp(pattern, "giu")).map((part, index) =>
    // biome-ignore lint/suspicious/noArrayIndexKey: the parts of one text, which is drawn anew as a whole.
    wanted.includes(part.toLowerCase()) ? <mark key={index}>{part}</mark> : part,
  );
}
