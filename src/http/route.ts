/**
 * A route line is the policy: who may call, what comes in, what goes out. One zod schema validates the call, types the
 * client and prints the docs.
 */
import { createRoute, OpenAPIHono, type RouteConfig, z } from "@hono/zod-openapi";
import type { Handler, MiddlewareHandler } from "hono";
import { type CallBudget, chargeCall } from "../auth/call-budgets.ts";
import { limitAdminCalls } from "../auth/rate-limit.ts";
import { actingAs, type Ctx, isAdmin, isModerator, type UserCtx } from "../context.ts";
import { AppError } from "../errors.ts";
import { readInput } from "../input.ts";
import { ErrorAnswer } from "../realtime/protocol.ts";
import { readJson, readQuery, requireJson } from "./read.ts";

export type HttpEnv = { Bindings: Env; Variables: { ctx: Ctx } };

/** `anyone` may still be signed in (the token is checked if there is one); the others must be. */
export type Who = "anyone" | "user" | "moderator" | "admin";

/** An answer that is not JSON: a file, a playlist, Prometheus text. */
export const Bytes = "bytes";

type Policy = {
  who: Who;
  /** Reads that cost much have a budget of their own. All that changes something has one anyway: see `limitWrites`. */
  budget?: "searches";
  /** The heading in the docs. */
  summary: string;
  description?: string;
  params?: z.ZodObject;
  query?: z.ZodObject;
  /** A JSON body. */
  body?: z.ZodType<object>;
  /** Status → schema of the answer. Failures need no line: they all have the contract's one form. */
  answers: { [status: number]: z.ZodType | typeof Bytes };
};

type Guard<Q extends Policy> = MiddlewareHandler<{ Variables: { ctx: Q["who"] extends "anyone" ? Ctx : UserCtx } }>;
// biome-ignore lint/complexity/noBannedTypes: "nothing more" in an intersection is {}.
type Nothing = {};
type RequestOf<Q extends Policy> = (Q extends { params: infer S extends z.ZodObject } ? { params: S } : Nothing) &
  (Q extends { query: infer S extends z.ZodObject } ? { query: S } : Nothing) &
  (Q extends { body: infer S extends z.ZodType }
    ? { body: { content: { "application/json": { schema: S } }; required: true } }
    : Nothing);
type AnswerOf<A> = A extends z.ZodType
  ? { description: string; content: { "application/json": { schema: A } } }
  : { description: string; content: { "application/octet-stream": { schema: z.ZodString } } };
type RouteOf<M, P, Q extends Policy> = {
  method: M;
  path: P;
  request: RequestOf<Q>;
  responses: { [S in keyof Q["answers"]]: AnswerOf<Q["answers"][S]> };
  middleware: [Guard<Q>];
  getRoutingPath(): P extends `${infer A}/{${infer B}}${infer C}` ? `${A}/:${B}${C}` : P;
};

/**
 * Declares a route. Paths are in OpenAPI's form (`/users/{id}`), below `/api/v1`.
 * Hand the result to `router().openapi(route, handler)`.
 */
export function route<
  M extends "get" | "post" | "put" | "patch" | "delete",
  const P extends `/${string}`,
  const Q extends Policy,
>(method: M, path: P, policy: Q): RouteOf<M, P, Q> {
  const { params, query, body } = policy;
  const budget = policy.budget ?? (isWrite(method) ? "writes" : undefined);
  const declared = createRoute({
    method,
    path,
    operationId: operationIdOf(method, path),
    summary: policy.summary,
    description: policy.description,
    tags: [path.split("/")[1] ?? ""],
    security: policy.who === "anyone" ? [] : [{ bearer: [] }],
    "x-who": policy.who,
    ...(budget ? { "x-budget": budget } : {}),
    request: {
      ...(params ? { params } : {}),
      ...(query ? { query } : {}),
      ...(body ? { body: { content: { "application/json": { schema: body } }, required: true } } : {}),
    },
    responses: {
      ...Object.fromEntries(Object.entries(policy.answers).map(([status, answer]) => [status, answerDoc(answer)])),
      ...(budget ? { 429: tooMany(budget) } : {}),
      default: { description: "A failure", content: { "application/json": { schema: ErrorAnswer } } },
    },
    middleware: [guard(policy), reader(policy)],
  } satisfies RouteConfig);
  // createRoute cannot follow the mapped types above; they say exactly what was put together here.
  return declared as unknown as RouteOf<M, P, Q>;
}

/** `post /videos/{id}/like` → `postVideosIdLike`: what generated clients call it. As unique as the route. */
const operationIdOf = (method: string, path: string): string =>
  method + path.replace(/[^A-Za-z0-9]+(\w?)/g, (_, first: string) => first.toUpperCase());

function answerDoc(answer: z.ZodType | typeof Bytes) {
  return answer === Bytes
    ? { description: "Bytes", content: { "application/octet-stream": { schema: z.string() } } }
    : { description: "OK", content: { "application/json": { schema: answer } } };
}

const SETTINGS: Record<CallBudget, string> = { writes: "RATE_LIMIT_WRITES", searches: "RATE_LIMIT_SEARCHES" };

const tooMany = (budget: CallBudget) => ({
  description: `The user is over their ${budget} a minute (${SETTINGS[budget]})`,
  headers: {
    "Retry-After": { description: "Seconds until there is budget again", schema: { type: "integer" as const } },
  },
  content: { "application/json": { schema: ErrorAnswer } },
});

/** Whether a call of this method changes something. */
export const isWrite = (method: string): boolean => !/^(get|head|options)$/i.test(method);

/** Who may pass, how often, and whether the body can be JSON at all; runs before anything of the request is parsed. */
function guard({ who, budget, body }: Policy): Handler<HttpEnv> {
  return async (c, next) => {
    const { ctx } = c.var;
    if (who !== "anyone") {
      if (ctx.actor.kind !== "user") throw new AppError("UNAUTHORIZED");
      if (who === "admin" && !isAdmin(ctx.actor)) throw new AppError("FORBIDDEN");
      if (who === "moderator" && !isModerator(ctx.actor)) throw new AppError("FORBIDDEN");
      if (who === "admin") await limitAdminCalls(actingAs(ctx, ctx.actor));
    }
    if (budget && ctx.actor.kind === "user") await chargeCall(actingAs(ctx, ctx.actor), budget);
    if (body) requireJson(c);
    await next();
  };
}

/** What comes in, read as the schemas say. The library would validate it as it was written; here it is respelled before. */
function reader({ params, query, body }: Policy): Handler<HttpEnv> {
  return async (c, next) => {
    if (query) c.req.addValidatedData("query", readQuery(query, c.req.queries()));
    if (params) c.req.addValidatedData("param", readInput(params, c.req.param()));
    if (body) c.req.addValidatedData("json", await readJson(body, c));
    await next();
  };
}

/** A router for one feature. Trailing slashes are accepted (SPEC 0). */
export function router(): OpenAPIHono<HttpEnv> {
  const app = new OpenAPIHono<HttpEnv>({ strict: false });
  const { openapi } = app;
  // The description has the schemas; the library's own validators would come after `reader`, and read the call as it was sent.
  const declare: typeof openapi = (declared, handler) => {
    const { middleware, ...described } = declared;
    app.openAPIRegistry.registerPath(described);
    return openapi({ ...declared, request: undefined, hide: true }, handler);
  };
  app.openapi = declare;
  return app;
}
