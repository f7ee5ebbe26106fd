/** Who may call a route. */
import { type Ctx, isAdmin, isModerator } from "../context.ts";
import { AppError } from "../errors.ts";
import type { Role } from "../roles.ts";
import type { Scope } from "../scopes.ts";

/**
 * `anyone` may still be signed in (the token is checked if there is one); the others must be. `key:<scope>`: a product's own
 * backend, by a key that has the scope.
 */
export type Who = "anyone" | Role | ServerWho;
export type ServerWho = `key:${Scope}`;

export const isServers = (who: Who): who is ServerWho => who.startsWith("key:");

/** Why this caller may not, or null. UNAUTHORIZED: nobody · FORBIDDEN: too small a role, another kind of caller */
export function refusalOf(ctx: Ctx, who: Who): AppError | null {
  if (who === "anyone") return null;
  if (isServers(who)) return refusalOfKey(ctx, who);
  if (ctx.actor.kind !== "user") return new AppError("UNAUTHORIZED");
  if (who === "admin" && !isAdmin(ctx.actor)) return new AppError("FORBIDDEN");
  return who === "moderator" && !isModerator(ctx.actor) ? new AppError("FORBIDDEN") : null;
}

function refusalOfKey({ actor }: Ctx, who: ServerWho): AppError | null {
  if (actor.kind === "anonymous") return new AppError("UNAUTHORIZED");
  if (actor.kind !== "server") return new AppError("FORBIDDEN", "This takes a server's key.");
  if (actor.scopes.some((scope) => who === `key:${scope}`)) return null;
  return new AppError("FORBIDDEN", `This key has no scope ${who.slice("key:".length)}.`);
}
