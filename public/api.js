/** REST calls as the person who is signed in. The pages have no other powers than these. */
import { currentSession, dropSession } from "/session.js";

/**
 * A refusal in the service's words, to be shown as it is. `code` is the service's, or OFFLINE · `details`: what is wrong with
 * which field, `{path, message}` each · `retryAfterSeconds`: how long the service wants to be left alone, if it said so.
 */
export class Refusal extends Error {
  constructor(code, message, { status = 0, details = [], retryAfterSeconds } = {}) {
    super(message);
    Object.assign(this, { code, status, details, retryAfterSeconds });
  }
}

/** A failure that the service did not put in words is a fault of the page: it is for the console, too. */
export function logFault(error) {
  if (error.code === undefined) console.error(error);
}

/** `path` with those of the values that are not empty as its query. */
export function withQuery(path, values) {
  const filled = Object.entries(values).filter(([, value]) => value !== "" && value !== null && value !== undefined);
  return filled.length > 0 ? `${path}?${new URLSearchParams(filled)}` : path;
}

/**
 * Calls `/api/v1<path>`. Throws a Refusal. With `token` as somebody else, or (null) as nobody. When the service no longer knows
 * the session, it ends here too, for all pages.
 * @param {string} method
 * @param {string} path
 * @param {unknown} [body]
 * @param {{token?: string | null}} [options]
 */
export async function call(method, path, body, { token = currentSession()?.token ?? null } = {}) {
  const response = await send(method, path, body, token);
  const answer = await response.json().catch(() => null);
  if (response.ok && answer) return answer;
  throw refused(response, answer, token);
}

/** Reads `/api/v1<path>` as a file, whole. Throws a Refusal. */
export async function readFile(path) {
  const token = currentSession()?.token ?? null;
  const response = await send("GET", path, undefined, token);
  if (!response.ok) throw refused(response, await response.json().catch(() => null), token);
  return response.blob().catch(() => {
    throw new Refusal("OFFLINE", "The file broke off on its way. Please try again.");
  });
}

/**
 * The answer as it came, whatever its status: for the docs, where calls are tried out. Throws a Refusal for none.
 * @param {unknown} [body] JSON, a form, or a file
 * @param {Record<string, string>} [headers]
 */
export const answerTo = (method, path, body, headers) =>
  send(method, path, body, currentSession()?.token ?? null, headers);

async function send(method, path, body, token, more = {}) {
  const isAsItIs = body instanceof FormData || body instanceof Blob;
  const headers = { Accept: "application/json", ...more };
  if (token) headers.Authorization = `Bearer ${token}`;
  if (body !== undefined && !isAsItIs) headers["Content-Type"] = "application/json";
  try {
    return await fetch(`/api/v1${path}`, { method, headers, body: isAsItIs ? body : body && JSON.stringify(body) });
  } catch {
    throw new Refusal("OFFLINE", "The service cannot be reached. Are you online?");
  }
}

function refused(response, answer, token) {
  const refusal = refusalOf(response, answer?.error);
  if (refusal.code === "UNAUTHORIZED" && token !== null && token === currentSession()?.token) {
    dropSession("Your session has ended. Please sign in again.");
  }
  return refusal;
}

function refusalOf({ status, headers }, { code = "OFFLINE", message, details = [] } = {}) {
  const retryAfterSeconds = Number(headers.get("Retry-After")) || undefined;
  const fields = details.map(({ path, message: text }) => `${path || "the request"} ${text}`);
  const said = [message ?? `The service answered ${status}.`, fields.join("; ")].filter(Boolean).join(" ");
  const text = status === 429 ? `Too many calls. Try again in ${inWords(retryAfterSeconds)}.` : said;
  return new Refusal(code, text, { status, details, retryAfterSeconds });
}

function inWords(seconds = 60) {
  if (seconds < 90) return `${seconds} seconds`;
  return seconds < 90 * 60 ? `${Math.ceil(seconds / 60)} minutes` : `${Math.ceil(seconds / 3600)} hours`;
}
