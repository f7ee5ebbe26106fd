/** The Worker's side: what can be refused without an object is refused here, the rest is passed on to the session's. */
import { z } from "zod";
import { within } from "../../platform/deadline.ts";
import { regionOf } from "../../platform/regions.ts";
import type { Version } from "../../platform/version.ts";
import { SEPARATOR } from "../packets.ts";
import type { EngineSettings } from "../settings.ts";
import type { Addresses } from "./addresses.ts";
import type { EngineGateway } from "./gateway.ts";
import { HANDSHAKE_HEADER, readHandshake, VERSION_HEADER } from "./handshake.ts";
import { waitForPayload } from "./long-poll.ts";
import { type ProtocolError, refuse } from "./refusals.ts";
import { readBody } from "./request-body.ts";
import { UPGRADE_TAKEN } from "./upgrades.ts";

export type SocketRoute<Gateway extends EngineGateway> = {
  addresses: Addresses<Gateway>;
  settings: Pick<EngineSettings, "maxPayload" | "maxPacketsPerPayload" | "answerSeconds">;
  /** Whether a browser on a page of this origin may connect. Requests without an `Origin` are no browser's. */
  allowsOrigin(origin: string, request: Request): boolean;
  /**
   * Whether a stranger may open another session: the place for a rate limit, for nothing else is known of them yet.
   * False answers 429.
   */
  allowsHandshake?(request: Request): boolean | Promise<boolean>;
  /** Of the Worker's code. */
  version?: Version | undefined;
};

const Query = z.object({
  transport: z.enum(["polling", "websocket"]),
  EIO: z.literal("4"),
  sid: z.string().optional(),
});
type Query = z.infer<typeof Query>;

/**
 * Serves one Engine.IO path (`/socket.io/`) from a Worker. All that can be refused is refused here, before an object
 * is woken. Never throws; errors are those of the protocol (400, 403, 413, 429, 503).
 */
export async function serveSockets<Gateway extends EngineGateway>(
  request: Request,
  route: SocketRoute<Gateway>,
): Promise<Response> {
  const origin = request.headers.get("Origin");
  if (origin !== null && !route.allowsOrigin(origin, request)) return refuse("FORBIDDEN");
  if (request.method === "OPTIONS") return withCors(new Response(null, { status: 204 }), request);
  let response: Response;
  try {
    response = await answer(request, route);
  } catch {
    // The object was reset or is overloaded. The client comes back by itself.
    response = refuse("UNAVAILABLE");
  }
  return response.webSocket ? response : withCors(response, request);
}

async function answer<Gateway extends EngineGateway>(request: Request, route: SocketRoute<Gateway>): Promise<Response> {
  const url = new URL(request.url);
  const query = Query.safeParse(Object.fromEntries(url.searchParams));
  if (!query.success) return refuse(faultIn(query.error));
  const isUpgrade = request.headers.get("Upgrade")?.toLowerCase() === "websocket";
  if (isUpgrade !== (query.data.transport === "websocket")) return refuse("BAD_REQUEST");
  return query.data.sid === undefined ? open(request, url, query.data, route) : resume(request, query.data, route);
}

function faultIn(error: z.ZodError): ProtocolError {
  const fields = error.issues.map((issue) => issue.path[0]);
  return fields.includes("transport") ? "UNKNOWN_TRANSPORT" : "UNSUPPORTED_PROTOCOL_VERSION";
}

/** A first request. */
async function open<Gateway extends EngineGateway>(
  request: Request,
  url: URL,
  query: Query,
  { addresses, settings, allowsHandshake, version }: SocketRoute<Gateway>,
): Promise<Response> {
  if (request.method !== "GET") return refuse("BAD_HANDSHAKE_METHOD");
  if (allowsHandshake && !(await allowsHandshake(request))) return refuse("TOO_MANY_REQUESTS");
  const handshake = readHandshake(request, url);
  const { sid, address } = await addresses.newSid(regionOf(request));
  const stub = addresses.stub(address);
  if (query.transport === "websocket") {
    const header = (value: unknown): string => encodeURIComponent(JSON.stringify(value));
    const headers = { ...UPGRADE, [HANDSHAKE_HEADER]: header(handshake), [VERSION_HEADER]: header(version ?? null) };
    return inTime(settings, async () => stub.fetch(objectUrl("/open", sid), { headers }));
  }
  const payload = await inTime(settings, async () => stub.openPolling(sid, handshake, version));
  return typeof payload === "string" ? text(payload) : refuse(payload.error);
}

/** A request of a session that exists, if its sid was made here. */
async function resume<Gateway extends EngineGateway>(
  request: Request,
  { transport, sid = "" }: Query,
  { addresses, settings }: SocketRoute<Gateway>,
): Promise<Response> {
  const address = await addresses.addressIn("sid", sid);
  if (address === null) return refuse("UNKNOWN_SID");
  const stub = addresses.stub(address);
  if (transport === "websocket") {
    const reply = await inTime(settings, async () => stub.fetch(objectUrl("/upgrade", sid), { headers: UPGRADE }));
    return reply.status === UPGRADE_TAKEN ? acceptAndClose() : reply;
  }
  if (request.method === "GET") {
    return waitForPayload(
      await inTime(settings, async () => stub.fetch(objectUrl("/poll", sid), { headers: UPGRADE })),
    );
  }
  if (request.method !== "POST") return refuse("BAD_REQUEST");
  const body = await readBody(request, settings.maxPayload);
  if (body === null || !hasAtMost(body, settings.maxPacketsPerPayload)) return refuse("PAYLOAD_TOO_LARGE");
  const outcome = await inTime(settings, async () => stub.push(sid, body));
  // Stock engine.io says text/html, so that old browsers offer no download.
  return outcome === "ok" ? text("ok", "text/html") : refuse(outcome.error);
}

/** An object that stalls is as good as one that was reset: the client comes back by itself. */
const inTime = <T>(settings: Pick<EngineSettings, "answerSeconds">, call: () => Promise<T>): Promise<T> =>
  within(settings.answerSeconds, "A gateway", call);

/** Whether a payload has no more packets than this. Counted before anything is made of them: the smallest has one byte. */
function hasAtMost(body: string, packets: number): boolean {
  let at = -1;
  for (let seen = 1; seen <= packets; seen += 1) {
    at = body.indexOf(SEPARATOR, at + 1);
    if (at < 0) return true;
  }
  return false;
}

const UPGRADE = { Upgrade: "websocket" };

/** What the client sent goes no further: the object sees only what the Worker has written. */
function objectUrl(path: string, sid: string): string {
  return `https://gateway${path}?${new URLSearchParams({ sid })}`;
}

/** What the protocol has for a WebSocket too many. Not in the object: a close there can take 10 s to reach the client. */
function acceptAndClose(): Response {
  const { 0: client, 1: server } = new WebSocketPair();
  server.accept();
  server.close(1000);
  return new Response(null, { status: 101, webSocket: client });
}

function text(body: string, type = "text/plain; charset=UTF-8"): Response {
  return new Response(body, { headers: { "Content-Type": type } });
}

function withCors(response: Response, request: Request): Response {
  const origin = request.headers.get("Origin");
  const answer = new Response(response.body, response);
  answer.headers.set("Cache-Control", "no-store");
  answer.headers.set("Vary", "Origin");
  if (origin === null) return answer;
  answer.headers.set("Access-Control-Allow-Origin", origin);
  answer.headers.set("Access-Control-Allow-Credentials", "true");
  if (request.method === "OPTIONS") {
    answer.headers.set("Access-Control-Allow-Methods", "GET, POST");
    const asked = request.headers.get("Access-Control-Request-Headers");
    if (asked) answer.headers.set("Access-Control-Allow-Headers", asked);
    answer.headers.set("Access-Control-Max-Age", "600");
  }
  return answer;
}
