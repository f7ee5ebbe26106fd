import { z } from "zod";

/** What the first HTTP request of a session told about the client. It stays with the session. */
export const Handshake = z.object({
  /** The client's IP address, from `CF-Connecting-IP` alone: any other header is the client's own claim. */
  address: z.string(),
  origin: z.string().nullable(),
  userAgent: z.string().nullable(),
  requestId: z.string(),
  /** The query string's own parameters, without those of Engine.IO. */
  query: z.record(z.string(), z.string()),
  /** The token of an `Authorization: Bearer` header, which clients outside of browsers send. Nothing about it has been checked. */
  bearer: z.string().nullable(),
  openedAt: z.number(),
});
export type Handshake = z.infer<typeof Handshake>;

const ENGINE_PARAMETERS = new Set(["EIO", "transport", "sid", "t", "b64", "j"]);

// A session's record must fit in a WebSocket attachment (16 KB), so that what a stranger can put into it is bounded.
const MAX_QUERY_CHARS = 1024;
const MAX_HEADER_CHARS = 256;
const MAX_TOKEN_CHARS = 4096;

/** In this the Worker hands it to the object: a token has no place in an address, which is logged. */
export const HANDSHAKE_HEADER = "x-roomcast-handshake";
/** The version of the Worker's code. */
export const VERSION_HEADER = "x-roomcast-version";

export function readHandshake(request: Request, url: URL): Handshake {
  return {
    address: request.headers.get("CF-Connecting-IP") ?? "",
    origin: cut(request.headers.get("Origin")),
    userAgent: cut(request.headers.get("User-Agent")),
    requestId: cut(request.headers.get("CF-Ray")) ?? crypto.randomUUID(),
    query: readQuery(url),
    bearer: readBearer(request),
    openedAt: Date.now(),
  };
}

function readQuery(url: URL): Record<string, string> {
  const query: Record<string, string> = {};
  let room = MAX_QUERY_CHARS;
  for (const [name, value] of url.searchParams) {
    room -= name.length + value.length;
    if (room < 0) break;
    if (!ENGINE_PARAMETERS.has(name) && name !== "__proto__") query[name] = value;
  }
  return query;
}

/** One that is too long for a token is none. */
function readBearer(request: Request): string | null {
  const token = /^Bearer\s+(\S+)$/i.exec(request.headers.get("Authorization") ?? "")?.[1] ?? null;
  return token !== null && token.length <= MAX_TOKEN_CHARS ? token : null;
}

function cut(text: string | null): string | null {
  return text === null ? null : text.slice(0, MAX_HEADER_CHARS).toWellFormed();
}
