/** What a gateway knows about a client: the state that its socket keeps through hibernation and recovery. */
import { z } from "zod";
import type { User, UserCtx } from "../../context.ts";
import { type ConnectRequest, Person, personOf } from "../../realtime/connection-state.ts";
import type { ClientSocket } from "../application.ts";

/** Rooms that one client may be in: what is known of it has to fit into an attachment. */
export const MAX_SUBSCRIPTIONS = 32;

/** What joining may say about a client, in characters of JSON. */
const MAX_JOIN_DATA_CHARS = 400;

/** A room that the client is in: by which channel, under which name, the object, and what joining said, if it is to be said again. */
export const Subscription = z.object({
  channel: z.string(),
  name: z.string(),
  object: z.string(),
  data: z
    .record(z.string(), z.json())
    .refine((data) => JSON.stringify(data).length <= MAX_JOIN_DATA_CHARS)
    .optional()
    .catch(undefined),
});
export type Subscription = z.infer<typeof Subscription>;

export const Member = z.object({
  person: Person,
  sessionId: z.string(),
  /** When the token ends, ms. */
  expiresAt: z.number(),
  /** How far the outbox had come when the database was last asked about this user: a revocation after it counts. */
  asOf: z.number().int().default(0),
  generation: z.string().optional(),
  userBornAt: z.number().int().optional(),
  address: z.string(),
  subscriptions: z.array(Subscription),
  /** What the user has spent at the gateway's own door, so that hibernation does not refill it. */
  spent: z.record(z.string(), z.tuple([z.number(), z.number()])),
});
export type Member = z.infer<typeof Member>;

export type MemberSocket = ClientSocket<Member>;

/** Who has just been authenticated; `before`: what is kept of who they were until now. */
export function memberFrom(ctx: UserCtx, before?: Pick<Member, "subscriptions" | "spent">): Member {
  const { sessionId, expiresAt, asOf, generation, bornAt: userBornAt } = ctx.actor;
  const { subscriptions = [], spent = {} } = before ?? {};
  const { address } = ctx;
  return { person: personOf(ctx), sessionId, expiresAt, asOf, generation, userBornAt, address, subscriptions, spent };
}

/** How a room takes them in: the gateway watches over the connection, so there is no heartbeat. */
export function connectRequestOf(member: Member, context?: unknown): ConnectRequest {
  const { person, sessionId, expiresAt, asOf, generation, userBornAt, address } = member;
  return {
    ...person,
    sessionId,
    expiresAt,
    asOf,
    generation,
    userBornAt,
    address,
    heartbeat: "client",
    batch: false,
    context,
  };
}

export const sessionOf = ({
  person,
  sessionId,
  expiresAt,
}: Member): Pick<User, "sessionId" | "expiresAt"> & { userId: number } => ({
  userId: person.userId,
  sessionId,
  expiresAt,
});
