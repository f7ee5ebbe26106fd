/** Signing in and out. Who is signed in is kept by /session.js, and every page hears of it there. */
import { call, Refusal } from "/api.js";
import { currentSession, dropSession, keepSession } from "/session.js";

/** Signs in, for all pages and tabs. Throws a Refusal. */
export async function signIn(username, password) {
  keepSession(await call("POST", "/auth/login", { username, password }, { token: null }));
}

/**
 * Makes an account, and signs it in for all pages and tabs if the service lets it in at once; answers whether it does, or wants
 * the email verified first. Throws a Refusal.
 * @param {{username: string, email: string, password: string}} fields
 */
export async function signUp({ username, email, password }) {
  const answer = await call("POST", "/auth/register", { username, email, password }, { token: null });
  if (answer.token) keepSession(answer);
  return Boolean(answer.token);
}

/** Makes a fresh account that nobody else can sign in to, and answers its session without keeping it. Throws a Refusal. */
export async function makeGuest() {
  const username = `guest_${crypto.randomUUID().slice(0, 8)}`;
  const account = { username, password: crypto.randomUUID(), email: `${username}@example.com` };
  const answer = await call("POST", "/auth/register", account, { token: null });
  if (!answer.token) throw new Refusal("FORBIDDEN", "This service takes no guests: it wants a verified email first.");
  return { ...answer, isGuest: true };
}

/** Goes on in this tab as a guest. Throws a Refusal. */
export async function becomeGuest() {
  keepSession(await makeGuest());
}

/** Ends the session, here at once, and at the service as soon as it can be reached. */
export async function signOut() {
  const token = currentSession()?.token;
  dropSession();
  if (token) await call("POST", "/auth/logout", undefined, { token }).catch(() => {});
}

/** One's own account as it is now; the session goes if the account may no longer be used. Throws a Refusal. */
export async function readAccount() {
  try {
    const user = await call("GET", "/auth/me");
    const session = currentSession();
    if (session) keepSession({ ...session, user });
    return user;
  } catch (error) {
    if (error.code === "FORBIDDEN") dropSession(error.message);
    throw error;
  }
}

const HALF_LIFE = 0.5;

/** A token of which half the life is over gets a successor, so that who comes back now and then stays signed in. */
async function renew() {
  const session = currentSession();
  const issuedAt = session && issueTime(session.token);
  if (!issuedAt) return;
  const expiresAt = Date.parse(session.expiresAt);
  if (Date.now() < issuedAt + (expiresAt - issuedAt) * HALF_LIFE) return;
  const fresh = await call("POST", "/auth/refresh").catch(() => null);
  if (fresh && currentSession()?.token === session.token) keepSession({ ...session, ...fresh });
}

/** When a token was made, in milliseconds. */
function issueTime(token) {
  try {
    const payload = token.split(".")[1].replaceAll("-", "+").replaceAll("_", "/");
    return JSON.parse(atob(payload)).iat * 1000;
  } catch {
    return null;
  }
}

renew();
