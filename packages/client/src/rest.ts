/** REST through Hono's `hc`: paths, bodies and answers are typed by the service's own description. */
import { type ClientResponse, hc } from "hono/client";
import type { Schema } from "./contract.ts";
import { RoomcastError } from "./error.ts";
import type { Api } from "./rest-schema.ts";
import { readToken, type TokenSource } from "./token.ts";

export type Client = ReturnType<typeof hc<Api>>;

export type ClientOptions = {
  /** Left out, only what anyone may call works. A function is asked once more, with `rejected`, after a 401. */
  token?: TokenSource;
  fetch?: typeof fetch;
};

/**
 * The REST API of the service at `origin`, e.g. `roomcast("https://rooms.example").messages.$post({ json })`.
 * Wrap a call in `answerOf` to get its body or an exception.
 */
export function roomcast(origin: string, { token, fetch }: ClientOptions = {}): Client {
  const headers = async (): Promise<Record<string, string>> =>
    token === undefined ? {} : { Authorization: bearer(await readToken(token)) };
  const given: typeof globalThis.fetch = (input, init) => (fetch ?? globalThis.fetch)(input, init);
  const renewing = typeof token === "function" ? withNewToken(token, given) : given;
  return hc<Api>(new URL("/api/v1", origin).href, { headers, fetch: renewing });
}

const bearer = (token: string): string => `Bearer ${token}`;

/** A call whose token was refused is done again with a new one, if there is one: tokens expire while nobody looks. */
const withNewToken =
  (source: TokenSource, fetch: typeof globalThis.fetch): typeof globalThis.fetch =>
  async (input, init) => {
    const response = await fetch(input, init);
    if (response.status !== 401) return response;
    const headers = new Headers(init?.headers);
    const renewed = bearer(await readToken(source, true));
    if (headers.get("Authorization") === renewed) return response;
    headers.set("Authorization", renewed);
    return fetch(input, { ...init, headers });
  };

/**
 * The body of a call that went well.
 * @throws RoomcastError with the service's code and, for a bad request, its details
 */
export async function answerOf<T>(call: Promise<ClientResponse<T>>): Promise<T> {
  const response = await call;
  if (response.ok) return (await response.json()) as T;
  throw await failureOf(response);
}

async function failureOf(response: ClientResponse<unknown>): Promise<RoomcastError> {
  const { status } = response;
  const retryAfterSeconds = Number(response.headers.get("Retry-After")) || undefined;
  const body: unknown = await response.json().catch(() => null);
  // A proxy in between may fail in a form of its own.
  if (!isErrorAnswer(body))
    return new RoomcastError("INTERNAL_ERROR", `The service answered ${status}.`, { status, retryAfterSeconds });
  const { code, message, details } = body.error;
  return new RoomcastError(code, message, { status, details, retryAfterSeconds });
}

const isErrorAnswer = (body: unknown): body is Schema["Error"] =>
  typeof body === "object" && body !== null && "error" in body && typeof body.error === "object" && body.error !== null;
