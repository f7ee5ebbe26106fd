/** OpenAPI 3.1: every route line, and the doors of the sockets. */
import type { OpenAPIHono } from "@hono/zod-openapi";
import { z } from "zod";
import { type SocketContract, type SocketContracts, SocketQuery } from "../../realtime/protocol.ts";
import type { HttpEnv } from "../env.ts";
import { withPlainSchemas } from "./plain-schemas.ts";

/** What the docs are about; plumbing knows no feature, so the app brings it. */
export type Described = {
  api: OpenAPIHono<HttpEnv>;
  /** Tag → a sentence. */
  tags: Record<string, string>;
  sockets: SocketContracts;
  /** What the service POSTs to others, by name. */
  webhooks: Record<string, OutsideCall>;
};

/** A call of a service outside: what goes over, and, where it is asked something, what it answers. */
type OutsideCall = { summary: string; description: string; body: z.ZodType; answer?: z.ZodType };

const ABOUT = `Realtime backend at the edge. Every failure has one form, \`{error: {code, message, timestamp, details?}}\`.
Sign in with \`POST /auth/login\` and send the token as \`Authorization: Bearer\`. What goes over the sockets is described
in [asyncapi.json](/api/v1/asyncapi.json).`;

const FAILURE = {
  description: "A failure",
  content: { "application/json": { schema: { $ref: "#/components/schemas/Error" } } },
};

/** By Standard Webhooks. */
const SIGNED = z.object({
  "webhook-id": z.string().describe("What comes twice has the same"),
  "webhook-timestamp": z.string().describe("Seconds since 1970"),
  "webhook-signature": z
    .string()
    .describe("`v1,…` of `<webhook-id>.<webhook-timestamp>.<body>`; several, apart by spaces"),
});

export function openApi({ api, tags, sockets, webhooks }: Described) {
  api.openAPIRegistry.registerComponent("securitySchemes", "bearer", {
    type: "http",
    scheme: "bearer",
    bearerFormat: "JWT",
    description: "The token that signing in answers",
  });
  api.openAPIRegistry.registerComponent("securitySchemes", "serverKey", {
    type: "http",
    scheme: "bearer",
    description:
      "A key of the product's own backend, made with `POST /admin/keys`. Not for pages: calls with an Origin are refused",
  });
  for (const [name, call] of Object.entries(webhooks)) registerWebhook(api, name, call);
  const document = api.getOpenAPI31Document({
    openapi: "3.1.0",
    info: { title: "Roomcast", version: "1.0.0", description: ABOUT, license: { name: "MIT" } },
    servers: [{ url: "/api/v1", description: "This server" }],
    tags: [
      ...Object.entries(tags).map(([name, description]) => ({ name, description })),
      { name: "sockets", description: "Where the WebSockets open." },
    ],
  });
  const doors = Object.entries(sockets).map(([path, contract]) => [path, { get: door(path, contract) }]);
  return withPlainSchemas({ ...document, paths: { ...document.paths, ...Object.fromEntries(doors) } });
}

function registerWebhook(
  api: Described["api"],
  name: string,
  { summary, description, body, answer }: OutsideCall,
): void {
  const json = (schema: z.ZodType) => ({ "application/json": { schema } });
  api.openAPIRegistry.registerWebhook({
    method: "post",
    path: name,
    operationId: name,
    summary,
    description,
    tags: ["server"],
    security: [],
    request: { headers: SIGNED, body: { content: json(body), required: true } },
    responses: answer
      ? {
          "2XX": { description: "What is to be done", content: json(answer) },
          default: { description: "No answer: what was set up for that is done" },
        }
      : { "2XX": { description: "It was taken" }, default: { description: "It was not taken, and comes again" } },
  });
}

/** The HTTP side of a socket. A token in the query, since browsers can set no header on a WebSocket. */
function door(path: string, { name, summary }: SocketContract) {
  const { properties = {}, required = [] } = z.toJSONSchema(SocketQuery, { io: "input" });
  return {
    tags: ["sockets"],
    operationId: `open${name.replace(/(^|[^A-Za-z0-9])(\w)/g, (_all, _before, first: string) => first.toUpperCase())}`,
    summary,
    description:
      "Closes at once with 4001 without a good token or ticket, 4003 where one is not allowed in, 4004 where there is nothing.",
    "x-who": "user",
    "x-channel": name,
    security: [{ bearer: [] }],
    parameters: [
      ...pathParameters(path).map((parameter) => ({
        name: parameter,
        in: "path",
        required: true,
        schema: { type: "string" },
      })),
      ...Object.entries(properties).map(([parameter, schema]) => ({
        name: parameter,
        in: "query",
        required: required.includes(parameter),
        ...(typeof schema === "object" && schema.description ? { description: schema.description } : {}),
        schema,
      })),
    ],
    responses: {
      101: { description: "The socket is open" },
      403: { ...FAILURE, description: "A page of a foreign origin" },
      426: { ...FAILURE, description: "Not an upgrade to WebSocket" },
      default: FAILURE,
    },
  };
}

/** The names between braces. */
export const pathParameters = (path: string): string[] =>
  [...path.matchAll(/\{(\w+)\}/g)].flatMap(([, name]) => name ?? []);
