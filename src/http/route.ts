/**
 * A route line is the policy: who may call, what comes in, what goes out. One zod schema validates the call, types the
 * client and prints the docs.
 */
import { createRoute, OpenAPIHono, type RouteConfig, type z } from "@hono/zod-openapi";
import type { Context, Handler, MiddlewareHandler } from "hono";
import { type CallBudget, chargeUser } from "../auth/call-budgets.ts";
import { limitAdminCalls } from "../auth/rate-limit.ts";
import { findUsers } from "../auth/user-names.ts";
import type { Ctx, ServerCtx, UserCtx } from "../context.ts";
import { badField, readInputNaming } from "../input.ts";
import { ErrorAnswer } from "../realtime/protocol.ts";
import { Binary } from "./answers.ts";
import { byCaller, hasCallerChanged } from "./caller.ts";
import { type HttpEnv, isWrite } from "./env.ts";
import { queryIn, readJson, requireJson } from "./read.ts";
import { isServers, refusalOf, type ServerWho, type Who } from "./who.ts";

/** An answer that is not JSON: a file, a playlist, Prometheus text. */
export const Bytes = "bytes";

/** An answer that sends a browser on, by its `Location`. */
export const Elsewhere = "elsewhere";

/** An answer without a body: what it tells stands in its status and headers. */
export const NoBody = "no body";

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
  /** Fields of the body that may stand in the query instead, as some frontends send them (SPEC 14). */
  bodyInQuery?: readonly string[];
  /** Bodies that the handler reads by itself, as streams: content type → what is in them, for the docs. */
  streams?: { readonly [type: string]: z.ZodType };
  /** Headers that the handler reads, for the docs. */
  headers?: z.ZodObject;
  /** Status → schema of the answer. Failures need no line: they all have the contract's one form. */
  answers: { [status: number]: z.ZodType | typeof Bytes | typeof Elsewhere | typeof NoBody };
};

type CtxOf<W extends Who> = W extends "anyone" ? Ctx : W extends ServerWho ? ServerCtx : UserCtx;
type Guard<Q extends Policy> = MiddlewareHandler<{ Variables: { ctx: CtxOf<Q["who"]> } }>;
// biome-ignore lint/complexity/noBannedTypes: "nothing more" in an intersection is {}.
type Nothing = {};
type RequestOf<Q extends Policy> = (Q extends { params: infer S extends z.ZodObject } ? { params: S } : Nothing) &
  (Q extends { query: infer S extends z.ZodObject } ? { query: S } : Nothing) &
  (Q extends { body: infer S extends z.ZodType }
    ? { body: { content: { "application/json": { schema: S } }; required: true } }
    : Nothing);
type AnswerOf<A> = A extends z.ZodType
  ? { description: string; content: { "application/json": { schema: A } } }
  : A extends typeof Elsewhere
    ? { description: string; headers: { Location: { schema: { type: "string" } } } }
    : A extends typeof NoBody
      ? { description: string }
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
  const { params, query, headers, bodyInQuery } = policy;
  const budget = budgetOf(method, policy);
  const declared = createRoute({
    method,
    path,
    operationId: operationIdOf(method, path),
    summary: policy.summary,
    description: bodyInQuery
      ? [policy.description, `${bodyInQuery.join(", ")} may stand in the query instead.`].filter(Boolean).join(" ")
      : policy.description,
    tags: [path.split("/")[1] ?? ""],
    security: securityOf(policy.who, path),
    "x-who": policy.who,
    ...(budget ? { "x-budget": budget } : {}),
    request: {
      ...(params ? { params } : {}),
      ...(query ? { query } : {}),
      ...(headers ? { headers } : {}),
      ...bodyDoc(policy),
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

type Budget = CallBudget | "server";

function budgetOf(method: string, { who, budget }: Policy): Budget | undefined {
  if (isServers(who)) return "server";
  return budget ?? (isWrite(method) ? "writes" : undefined);
}

/** Calls that come before there is a token, or with a proof of another kind. */
const TAKES_NO_TOKEN = /^\/(auth|webhook)\//;

/** Two ways to call: with the one or the other. None: made clients send a token only where it is named. */
function securityOf(who: Who, path: string): Record<string, string[]>[] {
  if (isServers(who)) return [{ serverKey: [] }];
  if (who !== "anyone") return [{ bearer: [] }];
  return TAKES_NO_TOKEN.test(path) ? [] : [{ bearer: [] }, {}];
}

function bodyDoc({ body, bodyInQuery, streams = {} }: Policy) {
  const schemas = Object.entries({ ...(body ? { "application/json": body } : {}), ...streams });
  if (schemas.length === 0) return {};
  const content = Object.fromEntries(schemas.map(([type, schema]) => [type, { schema }]));
  return { body: { content, required: bodyInQuery === undefined } };
}

/** `post /videos/{id}/like` → `postVideosIdLike`: what generated clients call it. As unique as the route. */
const operationIdOf = (method: string, path: string): string =>
  method + path.replace(/[^A-Za-z0-9]+(\w?)/g, (_, first: string) => first.toUpperCase());

function answerDoc(answer: Policy["answers"][number]) {
  if (answer === NoBody) return { description: "Done" };
  if (answer === Elsewhere) {
    return { description: "Where to go", headers: { Location: { schema: { type: "string" as const } } } };
  }
  return answer === Bytes
    ? { description: "Bytes", content: { "application/octet-stream": { schema: Binary } } }
    : { description: "OK", content: { "application/json": { schema: answer } } };
}

const OVER: Record<Budget, string> = {
  writes: "The user is over their writes a minute (RATE_LIMIT_WRITES)",
  searches: "The user is over their searches a minute (RATE_LIMIT_SEARCHES)",
  server: "The key is over its calls a minute (RATE_LIMIT_SERVER_API)",
};

const tooMany = (budget: Budget) => ({
  description: OVER[budget],
  headers: {
    "Retry-After": { description: "Seconds until there is budget again", schema: { type: "integer" as const } },
  },
  content: { "application/json": { schema: ErrorAnswer } },
});

/** Who may pass, how often, and whether the body can be JSON at all; runs before anything of the request is parsed. */
function guard({ who, budget, body }: Policy): Handler<HttpEnv> {
  return async (c, next) => {
    c.set("who", who);
    // Who may not by what is known of them here may by what they are by now.
    if (refusalOf(c.var.ctx, who)) await hasCallerChanged(c);
    await byCaller(c, async () => {
      requirePassed(c);
      if (who === "admin") await limitAdminCalls(c.var.ctx);
      if (budget) await chargeUser(c.var.ctx, budget);
    });
    if (body) requireJson(c);
    await next();
  };
}

/** @throws AppError as `refusalOf` */
function requirePassed({ var: { ctx, who } }: Context<HttpEnv>): void {
  const refusal = refusalOf(ctx, who);
  if (refusal) throw refusal;
}

/** What comes in, read as the schemas say. The library would validate it as it was written; here it is respelled before. */
function reader({ params, query, body, bodyInQuery = [] }: Policy): Handler<HttpEnv> {
  const read = async (c: Context<HttpEnv>): Promise<void> => {
    const find = findUsers(c.var.ctx);
    if (query) c.req.addValidatedData("query", await readInputNaming(query, queryIn(c.req.queries()), find));
    if (params) c.req.addValidatedData("param", await readInputNaming(params, c.req.param(), find));
    if (body)
      c.req.addValidatedData("json", await readInputNaming(body, completed(await readJson(c), bodyInQuery, c), find));
  };
  return async (c, next) => {
    await byCaller(c, () => read(c));
    await next();
  };
}

/** A body with what stands in the query alone. @throws AppError INVALID_REQUEST said twice, and differently */
function completed(body: unknown, fields: readonly string[], c: Context): unknown {
  if (fields.length === 0) return body;
  const query = queryIn(c.req.queries());
  const given = fields.flatMap((field) => (query[field] === undefined ? [] : [[field, query[field]] as const]));
  if (given.length === 0 || typeof body !== "object" || body === null || Array.isArray(body)) return body;
  const said = new Map<string, unknown>(Object.entries(body));
  for (const [field, value] of given) {
    if (said.has(field) && said.get(field) !== value) throw badField(field, "is given twice, and differently");
    said.set(field, value);
  }
  return Object.fromEntries(said);
}

/**
 * What a handler answers, once it is known that its caller is who they were, and may call: nothing leaves before. (A handler
 * may answer a promise or not, which is one type to the library.)
 */
function answerCaller<T>(c: Context<HttpEnv>, handle: () => T): T;
function answerCaller(c: Context<HttpEnv>, handle: () => unknown): unknown {
  return byCaller(c, async () => {
    requirePassed(c);
    const answer = await handle();
    await c.var.ctx.db.settle();
    return answer;
  });
}

/** A router for one feature. Trailing slashes are accepted (SPEC 0). */
export function router(): OpenAPIHono<HttpEnv> {
  const app = new OpenAPIHono<HttpEnv>({ strict: false });
  const { openapi } = app;
  // The description has the schemas; the library's own validators would come after `reader`, and read the call as it was sent.
  const declare: typeof openapi = (declared, handler) => {
    const { middleware, ...described } = declared;
    app.openAPIRegistry.registerPath(described);
    const byItsCaller: typeof handler = (c, next) => answerCaller(c, () => handler(c, next));
    return openapi({ ...declared, request: undefined, hide: true }, byItsCaller);
  };
  app.openapi = declare;
  return app;
}
