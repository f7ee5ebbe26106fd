/**
 * AsyncAPI 3.0: the sockets as channels, their frames as messages. The document speaks as the server: it `send`s frames
 * and `receive`s commands.
 */
import { z } from "zod";
import {
  AckFrame,
  AuthRefresh,
  ConnectedFrame,
  ErrorFrame,
  FrameId,
  PingFrame,
  ResyncFrame,
  type SocketContract,
  type SocketContracts,
  SocketQuery,
  Timestamp,
} from "../../realtime/protocol.ts";
import { pathParameters } from "./openapi.ts";

const ABOUT = `Frames are JSON, \`{type, data}\`. A command may carry an \`id\` and is then answered by an \`ack\` or an
\`error\` with it. Frames with a \`seq\` are kept: come back with \`?since=<seq>&epoch=<epoch>\` and all that was missed
follows, in order, each once; or \`resync\` says that it cannot. With \`?batch=1\` a message may be an array of frames.`;

type Json = Record<string, unknown>;
type Direction = "send" | "receive";
type Schemas = Record<string, Json>;

/** What every socket speaks, whatever it is about. */
const SERVER_FRAMES = {
  connected: [ConnectedFrame, "The first frame: where the log stands."],
  resync: [ResyncFrame, "What was missed is no longer kept: fetch anew, and go on from here."],
  ping: [PingFrame, "The server's heartbeat, every 30 s, unless `heartbeat=client`."],
  ack: [AckFrame, "The command with this id was done."],
  error: [ErrorFrame, "The command with this id was refused; or a frame could not be read."],
} as const satisfies Record<string, readonly [z.ZodType, string]>;

const CLIENT_FRAMES = {
  pong: [
    z.object({ type: z.literal("pong"), timestamp: Timestamp.optional() }),
    "The answer to a ping; it shows that all before the ping was read.",
  ],
  "auth:refresh": [
    z.object({ type: z.literal("auth:refresh"), id: FrameId.optional(), data: AuthRefresh }),
    "A new token of the same user, before the old one ends.",
  ],
} as const satisfies Record<string, readonly [z.ZodType, string]>;

export function asyncApi(sockets: SocketContracts) {
  const schemas: Schemas = {};
  const channels: Json = {};
  const operations: Json = {};
  for (const [path, contract] of Object.entries(sockets)) {
    const { name } = contract;
    const { send, receive } = messagesOf(contract, schemas);
    channels[name] = channel(path, contract, { ...send, ...receive });
    operations[`send_${name}`] = operation("send", name, Object.keys(send));
    operations[`receive_${name}`] = operation("receive", name, Object.keys(receive));
  }
  return {
    asyncapi: "3.0.0",
    info: { title: "Roomcast sockets", version: "1.0.0", description: ABOUT, license: { name: "MIT" } },
    defaultContentType: "application/json",
    channels,
    operations,
    components: { schemas },
  };
}

function channel(path: string, { name, summary }: SocketContract, messages: Json) {
  const parameters = pathParameters(path);
  return {
    address: `/api/v1${path}`,
    title: name,
    description: summary,
    ...(parameters.length > 0
      ? { parameters: Object.fromEntries(parameters.map((parameter) => [parameter, {}])) }
      : {}),
    messages,
    bindings: {
      ws: { method: "GET", query: z.toJSONSchema(SocketQuery, { io: "input" }), bindingVersion: "0.1.0" },
    },
  };
}

/** The id of a message: the same type may go both ways with different data, as `typing` does. */
const messageId = (direction: Direction, type: string) => `${direction}.${type.replaceAll(":", "_")}`;

function messagesOf({ commands, frames, acks = {} }: SocketContract, schemas: Schemas) {
  const send: Json = {};
  const receive: Json = {};
  for (const [type, [schema, summary]] of Object.entries(SERVER_FRAMES)) {
    send[messageId("send", type)] = { name: type, summary, payload: jsonSchema(schema, "output", schemas) };
  }
  for (const [type, [schema, summary]] of Object.entries(CLIENT_FRAMES)) {
    receive[messageId("receive", type)] = { name: type, summary, payload: jsonSchema(schema, "input", schemas) };
  }
  for (const [type, schema] of Object.entries(frames)) {
    const data = jsonSchema(schema, "output", schemas);
    send[messageId("send", type)] = { name: type, ...summaryOf(schema), payload: frameSchema(type, data, SEQ) };
  }
  for (const [type, schema] of Object.entries(commands)) {
    const data = jsonSchema(schema, "input", schemas);
    receive[messageId("receive", type)] = {
      name: type,
      ...summaryOf(schema),
      payload: frameSchema(type, data, ID),
      ...(acks[type] ? { "x-ack": jsonSchema(acks[type], "output", schemas) } : {}),
    };
  }
  return { send, receive };
}

const SEQ = { seq: { type: "integer", minimum: 1, description: "Only on frames that are kept for resuming" } };
const ID = { id: { anyOf: [{ type: "string", minLength: 1, maxLength: 64 }, { type: "integer" }] } };

const frameSchema = (type: string, data: Json, more: Json): Json => ({
  type: "object",
  properties: { type: { const: type }, data, ...more },
  required: ["type", "data"],
});

const summaryOf = (schema: z.ZodType) => (schema.description ? { summary: schema.description } : {});

function operation(action: Direction, name: string, messages: string[]) {
  const channel = `#/channels/${name}`;
  return {
    action,
    channel: { $ref: channel },
    summary: action === "send" ? "What the server sends" : "What a client may send",
    messages: messages.map((id) => ({ $ref: `${channel}/messages/${id}` })),
  };
}

/**
 * A zod schema as JSON schema. Named ones (`.meta({id})`) go into the document's components, since a `$ref` counts from
 * the document's root; what comes in and what goes out may differ (defaults), so they have names of their own.
 */
function jsonSchema(schema: z.ZodType, io: "input" | "output", schemas: Schemas): Json {
  const suffix = io === "input" ? "Input" : "";
  const made = z.toJSONSchema(schema, { io, unrepresentable: "any" });
  const text = JSON.stringify(made).replace(/"#\/\$defs\/([^"]+)"/g, `"#/components/schemas/$1${suffix}"`);
  const { $schema: _dialect, $defs, ...rest } = Own.parse(JSON.parse(text));
  for (const [id, definition] of Object.entries($defs)) schemas[`${id}${suffix}`] = definition;
  return rest;
}

const Own = z.looseObject({
  $schema: z.string().optional(),
  $defs: z.record(z.string(), z.record(z.string(), z.unknown())).default({}),
});
