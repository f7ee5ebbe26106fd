/** Who acts, and with what. Every service function takes a `Ctx` first. */
import { config } from "./config.ts";
import type { CallContext } from "./db/call-context.ts";
import { connect } from "./db/client.ts";
import type { Condition } from "./db/precondition.ts";
import { AppError } from "./errors.ts";
import { zeroCost } from "./platform/cost.ts";
import type { Role } from "./roles.ts";
import type { Scope } from "./scopes.ts";

/** A signed-in user, as the database knows them at this request. */
export type User = {
  kind: "user";
  id: number;
  username: string;
  displayName: string | null;
  avatarUrl: string | null;
  role: Role;
  /** The session the token belongs to; logout ends it. */
  sessionId: string;
  /** When the token ends, in ms since the epoch. */
  expiresAt: number;
  /** How far the outbox had come when the database was asked about this user: a revocation after it counts. */
  asOf: number;
  /** The generation of the database that was asked, and when the account was made, ms: no other ever had this id there and then. */
  generation: string;
  bornAt: number;
};

/** A product's own backend, by one of its keys. */
export type Server = { kind: "server"; keyId: string; name: string; scopes: readonly Scope[] };

export type Actor = User | Server | { kind: "anonymous" } | { kind: "mediaServer" } | { kind: "system" };

export type Ctx<A extends Actor = Actor> = CallContext & { actor: A };

export type UserCtx = Ctx<User>;
export type ServerCtx = Ctx<Server>;

type Start = Pick<Ctx, "env" | "later"> &
  Partial<Pick<Ctx, "requestId" | "address" | "userAgent" | "acceptLanguage" | "origin" | "now">>;

/** A context with nobody in it yet; authentication puts the actor in with `actingAs`. */
export function startContext(start: Start): Ctx<{ kind: "anonymous" }> {
  const cost = zeroCost();
  const settings = config(start.env);
  return {
    env: start.env,
    config: settings,
    db: connect(start.env.DB, { cost, timeoutSeconds: settings.TIMEOUT_DATABASE_SECONDS }),
    actor: { kind: "anonymous" },
    cost,
    requestId: start.requestId ?? crypto.randomUUID(),
    address: start.address ?? "",
    userAgent: start.userAgent ?? "",
    acceptLanguage: start.acceptLanguage ?? "",
    origin: start.origin ?? "",
    now: start.now ?? new Date(),
    later: start.later,
  };
}

/** For service calls made from inside an object. */
export const objectContext = (object: DurableObjectState, env: Env): Ctx =>
  startContext({ env, later: (work) => object.waitUntil(work) });

/** Where people reach us, for addresses that are told to them; empty where neither setting nor request says it. */
export const publicOrigin = ({ config: { PUBLIC_URL }, origin }: CallContext): string => PUBLIC_URL ?? origin;

/** The same call, done by somebody. */
export function actingAs<A extends Actor>(ctx: Ctx, actor: A): Ctx<A> {
  return { ...ctx, actor };
}

/** The same call, in which nothing is read or changed unless `condition` holds. */
export const onCondition = <A extends Actor>(ctx: Ctx<A>, condition: Condition): Ctx<A> => ({
  ...ctx,
  db: connect(ctx.env.DB, { cost: ctx.cost, timeoutSeconds: ctx.config.TIMEOUT_DATABASE_SECONDS, condition }),
});

/** @throws AppError UNAUTHORIZED when nobody is signed in. */
export function requireUser(ctx: Ctx): UserCtx {
  if (ctx.actor.kind !== "user") throw new AppError("UNAUTHORIZED");
  return actingAs(ctx, ctx.actor);
}

/** Moderators and admins. */
export function isModerator(actor: Actor): boolean {
  return actor.kind === "user" && actor.role !== "user";
}

export function isAdmin(actor: Actor): boolean {
  return actor.kind === "user" && actor.role === "admin";
}

/** The id of who acts, or 0 (no user has it) for everyone else. */
export function actorId(actor: Actor): number {
  return actor.kind === "user" ? actor.id : 0;
}
