/**
 * Writes the types of @roomcast/client and @roomcast/server from the service's two documents: REST from OpenAPI, sockets from AsyncAPI. Runs at
 * `npm ci`, and before a build or a type check; what it writes is not committed.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import openapiTS, { astToString } from "openapi-typescript";
import ts from "typescript";
import { z } from "zod";
import { documentOf } from "./documents.ts";
import { root } from "./tools.ts";

/** The packages that have the types of REST; the first has those of sockets, too. */
const PACKAGES = ["client", "server"] as const;
const folderIn = (name: (typeof PACKAGES)[number]): string => join(root, "packages", name, "src/generated");
const HEAD = "/** Made by scripts/client-types.ts from the service's own schemas. Not to be edited. */\n\n";

const Schema = z.record(z.string(), z.unknown());
type Schema = z.infer<typeof Schema>;
const Message = z.object({
  name: z.string(),
  payload: z.object({ properties: z.object({ data: Schema.optional() }) }),
  "x-ack": Schema.optional(),
});
const AsyncApi = z.object({
  channels: z.record(z.string(), z.object({ address: z.string(), messages: z.record(z.string(), Message) })),
  operations: z.record(
    z.string(),
    z.object({
      action: z.enum(["send", "receive"]),
      channel: z.object({ $ref: z.string() }),
      messages: z.array(z.object({ $ref: z.string() })),
    }),
  ),
  components: z.object({ schemas: z.record(z.string(), Schema) }),
});
type Channel = z.infer<typeof AsyncApi>["channels"][string];

/** What every socket speaks; the client deals with it itself. */
const ENVELOPE = ["connected", "resync", "ping", "ack", "error"];

const closed = (properties: Record<string, Schema>): Schema => ({
  type: "object",
  properties,
  required: Object.keys(properties),
  additionalProperties: false,
});

/** A socket as one schema: what a client sends, what it gets, and what acks carry. */
function socketSchema({ messages }: Channel, directions: Map<string, "send" | "receive">): Schema {
  const parts: Record<"commands" | "frames" | "acks", Record<string, Schema>> = { commands: {}, frames: {}, acks: {} };
  for (const [id, { name, payload, "x-ack": ack }] of Object.entries(messages)) {
    const { data } = payload.properties;
    if (!data || ENVELOPE.includes(name)) continue;
    parts[directions.get(id) === "send" ? "frames" : "commands"][name] = data;
    if (ack) parts.acks[name] = ack;
  }
  return closed({ commands: closed(parts.commands), frames: closed(parts.frames), acks: closed(parts.acks) });
}

/** Each channel's messages by their id, and which way they go. */
function directionsIn(asyncApi: z.infer<typeof AsyncApi>, channel: string): Map<string, "send" | "receive"> {
  const own = Object.values(asyncApi.operations).filter(({ channel: { $ref } }) => $ref === `#/channels/${channel}`);
  return new Map(
    own.flatMap(({ action, messages }) => messages.map(({ $ref }) => [$ref.split("/").at(-1) ?? "", action] as const)),
  );
}

async function typesOf(description: unknown): Promise<string> {
  const types = await openapiTS(JSON.stringify(description), {
    // A file in a form.
    transform: ({ format }) => (format === "binary" ? ts.factory.createTypeReferenceNode("Blob") : undefined),
    // What has a default need not be sent.
    defaultNonNullable: false,
  });
  return HEAD + astToString(types);
}

const asyncApi = AsyncApi.parse(await documentOf("asyncapi.json"));
const sockets = Object.entries(asyncApi.channels).map(([name, channel]): [string, Schema] => [
  channel.address.replace("/api/v1", ""),
  socketSchema(channel, directionsIn(asyncApi, name)),
]);

const rest = await typesOf(await documentOf("openapi.json"));
for (const name of PACKAGES) {
  mkdirSync(folderIn(name), { recursive: true });
  writeFileSync(join(folderIn(name), "rest.ts"), rest);
}
const socketTypes = await typesOf({
  openapi: "3.1.0",
  info: { title: "Roomcast sockets", version: "1.0.0" },
  paths: {},
  components: { schemas: { Sockets: closed(Object.fromEntries(sockets)), ...asyncApi.components.schemas } },
});
writeFileSync(join(folderIn("client"), "sockets.ts"), socketTypes);
