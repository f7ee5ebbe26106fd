import { describe, expect, it } from "vitest";
import { z } from "zod";
import { api, app } from "../src/app.ts";
import { SOCKETS, TAGS } from "../src/contract.ts";
import { SCOPES } from "../src/scopes.ts";
import { call } from "./support/api.ts";

const Schema = z.record(z.string(), z.unknown());
const Content = z.record(z.string(), z.looseObject({ schema: Schema }));
const Response = z.looseObject({ description: z.string().min(1), content: Content.optional() });
const Operation = z.looseObject({
  summary: z.string().min(1),
  tags: z.array(z.string()).length(1),
  "x-who": z.enum(["anyone", "user", "moderator", "admin", ...SCOPES.map((scope) => `key:${scope}` as const)]),
  security: z.array(Schema),
  parameters: z.array(z.looseObject({ name: z.string(), in: z.string(), schema: Schema })).default([]),
  requestBody: z.looseObject({ content: Content }).optional(),
  responses: z.record(z.string(), Response),
});
const OpenApi = z.looseObject({
  openapi: z.literal("3.1.0"),
  info: z.looseObject({ title: z.literal("Roomcast"), version: z.string() }),
  servers: z.array(z.looseObject({ url: z.string() })).min(1),
  tags: z.array(z.object({ name: z.string(), description: z.string().min(10) })),
  paths: z.record(z.string(), z.record(z.string(), Operation)),
  components: z.looseObject({ schemas: z.record(z.string(), Schema), securitySchemes: z.record(z.string(), Schema) }),
});
const Message = z.looseObject({ name: z.string(), payload: Schema });
const AsyncApi = z.looseObject({
  asyncapi: z.literal("3.0.0"),
  servers: z.record(z.string(), z.object({ host: z.string(), protocol: z.enum(["ws", "wss"]) })),
  channels: z.record(z.string(), z.looseObject({ address: z.string(), messages: z.record(z.string(), Message) })),
  operations: z.record(
    z.string(),
    z.looseObject({ action: z.enum(["send", "receive"]), messages: z.array(z.object({ $ref: z.string() })) }),
  ),
  components: z.object({ schemas: z.record(z.string(), Schema) }),
});

const openApi = async () => OpenApi.parse((await call("/openapi.json")).body);
const asyncApi = async () => AsyncApi.parse((await call("/asyncapi.json")).body);

/** `/users/{id}` as Hono writes it. */
const honoPath = (path: string) => path.replace(/\{(\w+)\}/g, ":$1");
const methodsAndPaths = (routes: { method: string; path: string }[]) =>
  new Set(routes.filter(({ method }) => method !== "ALL").map(({ method, path }) => `${method} ${path}`));

/** Every `$ref` of a document, and whether something stands where it points. */
function danglingRefs(document: unknown): string[] {
  const refs = [...JSON.stringify(document).matchAll(/"\$ref":"([^"]+)"/g)].flatMap(([, ref]) => ref ?? []);
  return refs.filter((ref) => {
    let at: unknown = document;
    for (const part of ref.slice(2).split("/")) at = Schema.safeParse(at).data?.[part];
    return at === undefined;
  });
}

describe("openapi.json", () => {
  it("is answered to anybody, may be cached, and every reference in it leads somewhere", async () => {
    const { status, headers, body } = await call("/openapi.json");
    expect(status).toBe(200);
    expect(headers.get("Cache-Control")).toBe("public, max-age=300");
    expect(danglingRefs(body)).toEqual([]);
    expect((await call("/openapi.json", { token: "junk" })).status).toBe(200);
  });

  it("names every path of the API, and no other", async () => {
    const { paths } = await openApi();
    const described = Object.entries(paths).flatMap(([path, operations]) =>
      Object.keys(operations).map((method) => `${method.toUpperCase()} ${honoPath(path)}`),
    );
    const doors = Object.keys(SOCKETS).map((path) => `GET ${honoPath(path)}`);
    expect(described.sort()).toEqual([...methodsAndPaths(api.routes), ...doors].sort());
  });

  it("tells for each what it is, who may call it, what goes in, what comes out and how it fails", async () => {
    const { paths } = await openApi();
    for (const [path, operations] of Object.entries(paths)) {
      for (const [method, { responses, parameters, security, ...operation }] of Object.entries(operations)) {
        const name = `${method} ${path}`;
        expect(responses.default?.content?.["application/json"]?.schema, `${name}: its failures`).toEqual({
          $ref: "#/components/schemas/Error",
        });
        const who = operation["x-who"];
        const scheme = who.startsWith("key:") ? "serverKey" : "bearer";
        const [way, mayDoWithout] = [{ [scheme]: [] }, who === "anyone"];
        const takesToken = !mayDoWithout || !/^\/(auth|webhook)\//.test(path);
        expect(security, `${name}: its sign-in`).toEqual(takesToken ? [way, ...(mayDoWithout ? [{}] : [])] : []);
        expect(who.startsWith("key:"), name).toBe(path.startsWith("/server/"));
        const inPath = parameters.filter((parameter) => parameter.in === "path").map((parameter) => parameter.name);
        expect(inPath, `${name}: its path parameters`).toEqual(
          [...path.matchAll(/\{(\w+)\}/g)].map(([, parameter]) => parameter),
        );
        const isSocket = path in SOCKETS;
        const good = Object.entries(responses).filter(([status]) => /^[123]/.test(status));
        expect(good.length, `${name}: an answer`).toBeGreaterThan(0);
        for (const [status, { content = {} }] of good) {
          const schemas = Object.values(content).map(({ schema }) => Object.keys(schema).length);
          const mayBeEmpty = isSocket || path.startsWith("/files/tus") || status.startsWith("3");
          expect(mayBeEmpty || schemas.length > 0, `${name}: the schema of ${status}`).toBe(true);
          expect(schemas, `${name}: the schema of ${status}`).not.toContain(0);
        }
        for (const { schema } of Object.values(operation.requestBody?.content ?? {})) {
          expect(Object.keys(schema).length, `${name}: the schema of its body`).toBeGreaterThan(0);
        }
      }
    }
  });

  it("says the bearer scheme, and a sentence for each tag in use and for no other", async () => {
    const document = await openApi();
    expect(document.components.securitySchemes.bearer).toMatchObject({ type: "http", scheme: "bearer" });
    const used = Object.values(document.paths).flatMap((path) => Object.values(path).flatMap(({ tags }) => tags));
    expect([...new Set(used)].sort()).toEqual([...Object.keys(TAGS), "sockets"].sort());
    expect(document.tags.map(({ name }) => name)).toEqual([...Object.keys(TAGS), "sockets"]);
  });

  it("describes what validates: limits, formats and defaults come through", async () => {
    const { paths, components } = await openApi();
    const body = paths["/messages"]?.post?.requestBody?.content["application/json"]?.schema;
    expect(body).toMatchObject({
      type: "object",
      required: ["receiverId", "content"],
      properties: { content: { type: "string", minLength: 1, maxLength: 5000 }, receiverId: { type: "integer" } },
    });
    const limit = paths["/notifications"]?.get?.parameters.find(({ name }) => name === "limit");
    expect(limit?.schema).toMatchObject({ type: "integer", minimum: 1, maximum: 100, default: 20 });
    expect(paths["/messages"]?.post?.responses["201"]?.content?.["application/json"]?.schema).toEqual({
      $ref: "#/components/schemas/DirectMessage",
    });
    expect(components.schemas.DirectMessage).toMatchObject({ type: "object" });
  });
});

describe("the sockets' doors", () => {
  it("are the paths that answer 426 without an upgrade", async () => {
    const { paths } = await openApi();
    for (const path of Object.keys(SOCKETS)) {
      expect(Object.keys(paths[path]?.get?.responses ?? {}).sort()).toEqual(["101", "403", "426", "default"]);
      const plain = await call(path.replace(/\{\w+\}/g, "1"));
      expect([path, plain.status, plain.body.error.code]).toEqual([path, 426, "UPGRADE_REQUIRED"]);
    }
  });

  it("are all described: no path of the service under /api/v1 is missing from both documents", async () => {
    const inApi = new Set([...methodsAndPaths(api.routes)].map((line) => line.replace(" /", " /api/v1/")));
    const known = ["/openapi.json", "/asyncapi.json", ...Object.keys(SOCKETS).map(honoPath)];
    const outside = [...methodsAndPaths(app.routes)]
      .filter((line) => line.includes(" /api/v1/") && !inApi.has(line))
      .map((line) => line.replace("GET /api/v1", ""));
    expect(outside.sort()).toEqual(known.sort());
  });
});

describe("asyncapi.json", () => {
  it("is answered to anybody, may be cached, and every reference in it leads somewhere", async () => {
    const { status, headers, body } = await call("/asyncapi.json");
    expect(status).toBe(200);
    expect(headers.get("Cache-Control")).toBe("public, max-age=300");
    expect(danglingRefs(body)).toEqual([]);
    expect((await asyncApi()).servers).toEqual({ here: { host: "localhost:8787", protocol: "ws" } });
  });

  it("has a channel per socket, with every frame of the contract in its direction, and the protocol's own", async () => {
    const { channels, operations } = await asyncApi();
    expect(Object.values(channels).map(({ address }) => address)).toEqual(
      Object.keys(SOCKETS).map((path) => `/api/v1${path}`),
    );
    for (const { name, frames, commands } of Object.values(SOCKETS)) {
      const namesOf = (action: "send" | "receive") =>
        operations[`${action}_${name}`]?.messages.map(
          ({ $ref }) => channels[name]?.messages[$ref.split("/")[4] ?? ""]?.name,
        );
      expect(namesOf("send")).toEqual(["connected", "resync", "ping", "ack", "error", ...Object.keys(frames)]);
      expect(namesOf("receive")).toEqual(["pong", "auth:refresh", ...Object.keys(commands)]);
    }
  });

  it("gives each frame the schema that validates it", async () => {
    const { channels, components } = await asyncApi();
    const messages = channels.events?.messages;
    expect(messages?.["send.message_new"]?.payload).toMatchObject({
      properties: { type: { const: "message:new" }, data: { $ref: "#/components/schemas/DirectMessage" } },
    });
    expect(components.schemas.DirectMessage).toMatchObject({ properties: { content: { type: "string" } } });
    expect(messages?.["receive.message_typing"]?.payload).toMatchObject({
      properties: { data: { properties: { conversationWith: { type: "integer" } }, required: ["conversationWith"] } },
    });
  });
});
