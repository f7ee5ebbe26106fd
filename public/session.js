/**
 * Who is signed in: one session for all pages and all tabs of this browser. A guest is another matter: an account of one tab
 * alone, so that two tabs can be two people, and before the browser's session while it lasts.
 */
const KEY = "roomcast.session";

/** @typedef {{id: number, username: string, displayName: string | null, role: string}} Person */
/** @typedef {{token: string, expiresAt: string, user: Person, isGuest?: boolean}} Session */

/** In place of a storage that is switched off; it then lasts as long as the page. */
const memory = new Map();
const listeners = new Set();

function read(storage) {
  try {
    return JSON.parse(window[storage].getItem(KEY) ?? "null");
  } catch {
    return memory.get(storage) ?? null;
  }
}

function write(storage, session) {
  try {
    if (session) window[storage].setItem(KEY, JSON.stringify(session));
    else window[storage].removeItem(KEY);
  } catch {
    memory.set(storage, session);
  }
}

/** @returns {Session | null} */
export const currentSession = () => read("sessionStorage") ?? read("localStorage");

let known = currentSession()?.user.id;

/** Pages hear of another person, not of a fresh token of the same one. */
function tell(reason = "") {
  const session = currentSession();
  if (session?.user.id === known) return;
  known = session?.user.id;
  for (const listener of listeners) listener(session, reason);
}

/**
 * Calls `listener(session, reason)` when somebody else is signed in, or nobody, here or in another tab. `reason` says in words
 * why the session has ended, if nobody asked for it.
 * @param {(session: Session | null, reason: string) => void} listener
 */
export const onSession = (listener) => listeners.add(listener);

/** @param {Session} session */
export function keepSession({ token, expiresAt, user, isGuest = false }) {
  const { id, username, displayName, role } = user;
  const session = { token, expiresAt, user: { id, username, displayName, role }, isGuest };
  write("sessionStorage", isGuest ? session : null);
  if (!isGuest) write("localStorage", session);
  tell();
}

/** Forgets the session of this page: a guest's in this tab, anybody else's in all tabs. */
export function dropSession(reason = "") {
  if (read("sessionStorage")) write("sessionStorage", null);
  else write("localStorage", null);
  tell(reason);
}

addEventListener("storage", ({ key, storageArea }) => {
  if (storageArea === localStorage && (key === KEY || key === null)) tell();
});
// A page that comes back from the browser's memory has heard nothing meanwhile.
addEventListener("pageshow", ({ persisted }) => persisted && tell());
