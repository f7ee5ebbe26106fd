/** The server API, a method for each call. */
import type { Answer, Body, Publication, Somebody } from "./contract.ts";
import { failureOf, RoomcastServerError } from "./error.ts";

export type ServerOptions = {
  /** Where the service is, e.g. `https://rooms.example`. */
  url: string;
  /** `rc_<id>_<secret>`. */
  key: string;
  /** How long one try may take; 10 000. */
  timeoutMs?: number;
  /** Tries of a call that may be repeated; 3. */
  attempts?: number;
  fetch?: typeof fetch;
};

type Call = { method: "GET" | "POST" | "PUT" | "DELETE"; path: string; body?: unknown; mayRepeat?: boolean };

/** The longest that a busy service is waited for between two tries. */
const WAIT_MOST_MS = 5000;

const part = (text: string | number): string => encodeURIComponent(text);
const acting = (as: Somebody | undefined): string => {
  if (as === undefined) return "";
  if (typeof as === "object") throw new TypeError("Here actAs is our id, or the product's own.");
  return `?actAs=${part(as)}`;
};

/** @throws RoomcastServerError from every method, with the service's code */
export class RoomcastServer {
  readonly #options: Required<Omit<ServerOptions, "fetch">>;
  readonly #fetch: typeof fetch;

  constructor({ fetch = globalThis.fetch, timeoutMs = 10_000, attempts = 3, ...options }: ServerOptions) {
    this.#options = { timeoutMs, attempts, ...options };
    // Called as a function: a Worker's own is bound to its global.
    this.#fetch = (input, init) => fetch(input, init);
  }

  // ── People ────────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Makes a user, or changes what is named. */
  putUser(externalId: string, body: Body<"/server/users/{externalId}", "put"> = {}) {
    return this.#call<Answer<"/server/users/{externalId}", "put">>({
      method: "PUT",
      path: `/users/${part(externalId)}`,
      body,
      mayRepeat: true,
    });
  }

  getUser(externalId: string) {
    return this.#call<Answer<"/server/users/{externalId}", "get">>({
      method: "GET",
      path: `/users/${part(externalId)}`,
    });
  }

  /** Erases a user and all that is theirs. */
  deleteUser(externalId: string) {
    return this.#call<Answer<"/server/users/{externalId}", "delete">>({
      method: "DELETE",
      path: `/users/${part(externalId)}`,
    });
  }

  /** Signs one of the product's own people in. */
  makeToken(body: Body<"/server/tokens", "post">) {
    return this.#call<Answer<"/server/tokens", "post">>({ method: "POST", path: "/tokens", body, mayRepeat: true });
  }

  /** Lets a user, or anybody who is signed in, hear a topic. */
  makeTopicToken(body: Body<"/server/topic-tokens", "post">) {
    return this.#call<Answer<"/server/topic-tokens", "post">>({
      method: "POST",
      path: "/topic-tokens",
      body,
      mayRepeat: true,
    });
  }

  // ── Publishing ────────────────────────────────────────────────────────────────────────────────────────────────────

  /** To people, a room, a course, a stream or a topic. With a `dedupeId` it is tried again when there is no answer. */
  publish(body: Publication) {
    const mayRepeat = body.dedupeId !== undefined;
    return this.#call<Answer<"/server/publish", "post">>({ method: "POST", path: "/publish", body, mayRepeat });
  }

  /** Up to 100, in their order, each answered by itself. */
  publishBatch(publications: Publication[]) {
    const mayRepeat = publications.every(({ dedupeId }) => dedupeId !== undefined);
    const body = { publications };
    return this.#call<Answer<"/server/publish/batch", "post">>({
      method: "POST",
      path: "/publish/batch",
      body,
      mayRepeat,
    });
  }

  /** How many hear a topic, and where its log stands. */
  getTopic(topic: string) {
    return this.#call<Answer<"/server/topics/{topic}", "get">>({ method: "GET", path: `/topics/${part(topic)}` });
  }

  // ── Rooms ─────────────────────────────────────────────────────────────────────────────────────────────────────────

  makeRoom(body: Body<"/server/rooms", "post">) {
    return this.#call<Answer<"/server/rooms", "post">>({ method: "POST", path: "/rooms", body });
  }

  deleteRoom(roomId: string, actAs?: number | string) {
    return this.#call<Answer<"/server/rooms/{id}", "delete">>({
      method: "DELETE",
      path: `/rooms/${part(roomId)}${acting(actAs)}`,
    });
  }

  addMember(roomId: string, body: Body<"/server/rooms/{id}/members", "post">) {
    return this.#call<Answer<"/server/rooms/{id}/members", "post">>({
      method: "POST",
      path: `/rooms/${part(roomId)}/members`,
      body,
      mayRepeat: true,
    });
  }

  removeMember(roomId: string, user: number | string, actAs?: number | string) {
    return this.#call<Answer<"/server/rooms/{id}/members/{user}", "delete">>({
      method: "DELETE",
      path: `/rooms/${part(roomId)}/members/${part(user)}${acting(actAs)}`,
    });
  }

  /** With a `clientMessageId` it is tried again when there is no answer. */
  sendMessage(roomId: string, body: Body<"/server/rooms/{id}/messages", "post">) {
    return this.#call<Answer<"/server/rooms/{id}/messages", "post">>({
      method: "POST",
      path: `/rooms/${part(roomId)}/messages`,
      body,
      mayRepeat: body.clientMessageId !== undefined,
    });
  }

  deleteMessage(roomId: string, messageId: string, actAs?: number | string) {
    return this.#call<Answer<"/server/rooms/{id}/messages/{messageId}", "delete">>({
      method: "DELETE",
      path: `/rooms/${part(roomId)}/messages/${part(messageId)}${acting(actAs)}`,
    });
  }

  /** Which of up to 100 people are here. */
  presence(users: (number | string)[]) {
    const query = users.map((user) => `users=${part(user)}`).join("&");
    return this.#call<Answer<"/server/presence", "get">>({ method: "GET", path: `/presence?${query}` });
  }

  // ── Calling ───────────────────────────────────────────────────────────────────────────────────────────────────────

  async #call<T>({ mayRepeat, ...call }: Call): Promise<T> {
    const most = (mayRepeat ?? call.method === "GET") ? this.#options.attempts : 1;
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.#tryOnce<T>(call);
      } catch (error) {
        if (attempt >= most || !(error instanceof RoomcastServerError) || !isPassing(error)) throw error;
        const waitMs = (error.retryAfterSeconds ?? 0.2 * 2 ** attempt) * 1000;
        if (waitMs > WAIT_MOST_MS) throw error;
        await new Promise((resolve) => setTimeout(resolve, waitMs));
      }
    }
  }

  async #tryOnce<T>({ method, path, body }: Call): Promise<T> {
    const { url, key, timeoutMs } = this.#options;
    const headers: Record<string, string> = { Authorization: `Bearer ${key}` };
    if (body !== undefined) headers["Content-Type"] = "application/json";
    const init = { method, headers, signal: AbortSignal.timeout(timeoutMs) };
    const address = new URL(`/api/v1/server${path}`, url);
    const response = await this.#fetch(
      address,
      body === undefined ? init : { ...init, body: JSON.stringify(body) },
    ).catch((cause: unknown) => {
      throw new RoomcastServerError("UNREACHABLE", "The service did not answer.", { cause });
    });
    if (!response.ok) throw await failureOf(response);
    return (await response.json()) as T;
  }
}

/** Whether the same call may succeed a little later. */
const isPassing = ({ code, status }: RoomcastServerError): boolean =>
  code === "UNREACHABLE" || code === "RATE_LIMIT" || code === "UNAVAILABLE" || (status !== undefined && status >= 500);
