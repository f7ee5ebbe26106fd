/** The way of every WebSocket into an object: checked here, so that junk never wakes or makes one. */
import type { Context, MiddlewareHandler } from "hono";
import { authenticateByWork, redeemTicket, tokenOf } from "../auth/authenticate.ts";
import { isAllowedOrigin } from "../config.ts";
import { type Ctx, requireUser, type UserCtx } from "../context.ts";
import { AppError, ERRORS, saysWhen, toAppError } from "../errors.ts";
import { readInput } from "../input.ts";
import { logEvent, logFailure } from "../platform/log.ts";
import { countRefusal, countSocket } from "../platform/metrics.ts";
import { callOnce } from "../platform/objects.ts";
import { versionOf } from "../platform/version.ts";
import { type ConnectRequest, personOf, redirectIn, writeConnectRequest } from "../realtime/connection-state.ts";
import { SocketQuery } from "../realtime/protocol.ts";
import { byCaller } from "./caller.ts";
import type { HttpEnv } from "./env.ts";
import { queryIn } from "./read.ts";

/** The object a socket leads to. */
export type Destination = {
  stub: DurableObjectStub;
  kind: string;
  /** The join context, as ConnectRequest has it. */
  context?: unknown;
  /** Where the client is to be held, when the object has no space for it and answers with a redirect. */
  followRedirect?: (redirect: string) => Omit<Destination, "followRedirect">;
};

/** Decides whether this user may open this socket. @throws AppError, which closes it with the code that fits */
export type OpenSocket = (ctx: UserCtx, c: Context<HttpEnv>) => Promise<Destination>;

/**
 * A handler for a socket path. Without an upgrade: 426. A foreign page: 403. What goes wrong after that is told by the
 * close code, since a browser shows a page nothing else.
 */
export function socket(open: OpenSocket): MiddlewareHandler<HttpEnv> {
  return async (c) => {
    if (c.req.header("upgrade")?.toLowerCase() !== "websocket") throw new AppError("UPGRADE_REQUIRED");
    const { ctx } = c.var;
    requireOwnPage(ctx, c);
    const query = readInput(SocketQuery, queryIn(c.req.queries()));
    try {
      c.set("ctx", await signIn(ctx, c.req.raw, query.ticket));
      return await byCaller(c, async () => {
        const signedIn = requireUser(c.var.ctx);
        const destination = await open(signedIn, c);
        countSocket(destination.kind);
        return forward(signedIn, destination, query);
      });
    } catch (thrown) {
      return closeAtOnce(ctx, thrown);
    }
  };
}

/** Cross-site WebSocket hijacking: browsers send Origin, and only browsers need to be held to it (RFC 6455, 10.2). */
function requireOwnPage(ctx: Ctx, c: Context): void {
  const origin = c.req.header("origin");
  if (origin !== undefined && !isAllowedOrigin(ctx.config, origin, new URL(c.req.url).origin)) {
    throw new AppError("FORBIDDEN", "This origin may not open sockets.");
  }
}

async function signIn(ctx: Ctx, request: Request, ticket: string | undefined): Promise<UserCtx> {
  if (ticket !== undefined) return redeemTicket(ctx, ticket);
  const token = tokenOf(request);
  if (token === null) throw new AppError("UNAUTHORIZED");
  return authenticateByWork(ctx, token);
}

/** The object gets a request that is made anew: nothing that the client sent is in it but what was checked. */
async function forward(ctx: UserCtx, destination: Destination, query: SocketQuery): Promise<Response> {
  const { stub, context, followRedirect } = destination;
  // It says how far the outbox had come when the caller was asked for.
  await ctx.db.settle();
  const { actor } = ctx;
  const request: ConnectRequest = {
    ...personOf(ctx),
    sessionId: actor.sessionId,
    expiresAt: actor.expiresAt,
    asOf: actor.asOf,
    generation: actor.generation,
    userBornAt: actor.bornAt,
    version: versionOf(ctx.env),
    address: ctx.address,
    heartbeat: query.heartbeat,
    batch: query.batch,
    since: query.since,
    epoch: query.epoch,
    context,
  };
  const headers = { Upgrade: "websocket", ...writeConnectRequest(request) };
  const answer = await callOnce(ctx, () => stub.fetch("https://object/", { headers }));
  const redirect = redirectIn(answer);
  return redirect === null || !followRedirect ? answer : forward(ctx, followRedirect(redirect), query);
}

/** Opens and closes at once, in the Worker. */
function closeAtOnce(ctx: Ctx, thrown: unknown): Response {
  const error = toAppError(thrown);
  if (ERRORS[error.code].status >= 500) logFailure(ctx, "socket.failure", error.cause ?? thrown);
  countRefusal("socket", error.code);
  const { 0: client, 1: server } = new WebSocketPair();
  server.accept();
  const wait = saysWhen(error) ? `; Retry-After: ${error.retryAfterSeconds ?? 1}` : "";
  server.close(ERRORS[error.code].close, `${error.code}${wait}`);
  logEvent("socket.refused", { requestId: ctx.requestId, code: error.code });
  return new Response(null, { status: 101, webSocket: client });
}
