/** Calls the API with the admin's own token: this page has no other powers. */

const TOKEN = "roomcast-admin-token";

/** A failure, in words. `status` 0: the service could not be reached. */
export class ApiError extends Error {
  constructor(message, status, retryAfterSeconds) {
    super(message);
    this.status = status;
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

// The tab's own storage: gone with the tab, and never sent by itself.
export const token = () => sessionStorage.getItem(TOKEN);
export const keepToken = (value) => sessionStorage.setItem(TOKEN, value);
export const dropToken = () => sessionStorage.removeItem(TOKEN);

/**
 * Calls `/api/v1<path>`.
 * @param {string} path
 * @param {{method?: string, query?: Record<string, any>, body?: unknown}} [options]
 */
export async function api(path, { method = "GET", query = {}, body } = {}) {
  const url = new URL(`/api/v1${path}`, location.origin);
  for (const [key, value] of Object.entries(query)) {
    if (value !== "" && value !== null && value !== undefined) url.searchParams.set(key, String(value));
  }
  const headers = { Accept: "application/json" };
  if (token()) headers.Authorization = `Bearer ${token()}`;
  if (body !== undefined) headers["Content-Type"] = "application/json";
  let response;
  try {
    response = await fetch(url, { method, headers, body: body === undefined ? undefined : JSON.stringify(body) });
  } catch {
    throw new ApiError("The service cannot be reached. Is the network there?", 0);
  }
  const answer = await response.json().catch(() => null);
  if (!response.ok) throw failure(response, answer);
  return answer;
}

function failure(response, answer) {
  const error = answer?.error;
  const seconds = Number(response.headers.get("Retry-After")) || undefined;
  const fields = (error?.details ?? []).map(({ path, message }) => `${path || "the request"} ${message}`);
  const text =
    response.status === 429
      ? `Too many calls. Try again in ${waitText(seconds)}.`
      : [error?.message ?? `The service answered ${response.status}.`, ...fields].join(" ");
  return new ApiError(text, response.status, seconds);
}

const waitText = (seconds = 60) => (seconds < 90 ? `${seconds} seconds` : `${Math.ceil(seconds / 60)} minutes`);
