/** REST calls, and who is signed in. The token lives as long as the tab: two tabs can be two people. */
const TOKEN = "roomcast.token";
const NAME = "roomcast.name";

/** A refusal, in the service's words. `retryAfterSeconds`: how long it wants to be left alone, if it said so. */
export class Refusal extends Error {
  constructor(code, message, retryAfterSeconds) {
    super(message);
    this.code = code;
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

export const isSignedIn = () => sessionStorage.getItem(TOKEN) !== null;
export const accountName = () => sessionStorage.getItem(NAME) ?? "";

export function signOut() {
  sessionStorage.removeItem(TOKEN);
  sessionStorage.removeItem(NAME);
}

/** Calls `/api/v1<path>`. Throws a Refusal that can be shown as it is. */
export async function call(method, path, body) {
  const token = sessionStorage.getItem(TOKEN);
  const headers = {
    ...(token && { Authorization: `Bearer ${token}` }),
    ...(body && { "Content-Type": "application/json" }),
  };
  let response;
  try {
    response = await fetch(`/api/v1${path}`, { method, headers, body: body && JSON.stringify(body) });
  } catch {
    throw new Refusal("OFFLINE", "The service cannot be reached. Are you online?");
  }
  const answer = await response.json().catch(() => null);
  if (response.ok && answer) return answer;
  const { code, message, details } = answer?.error ?? {};
  const first = details?.[0];
  const words = first ? `${first.path}: ${first.message}` : (message ?? `The service answered ${response.status}.`);
  throw new Refusal(code ?? "OFFLINE", words, Number(response.headers.get("Retry-After")) || undefined);
}

const keep = ({ token, user }) => {
  sessionStorage.setItem(TOKEN, token);
  sessionStorage.setItem(NAME, user.username);
};

export async function signIn(username, password) {
  keep(await call("POST", "/auth/login", { username, password }));
}

/** A fresh account that nobody else can sign in to. */
export async function becomeGuest() {
  const username = `guest_${crypto.randomUUID().slice(0, 8)}`;
  const password = crypto.randomUUID();
  keep(await call("POST", "/auth/register", { username, password, email: `${username}@example.com` }));
}

export const me = () => call("GET", "/auth/me");
