/**
 * Roomcast as an application of the Socket.IO layer. A client is a member of its user's hub, for as long as it is
 * connected, and of every room that it enters; all that happens there is done by those objects' own commands, as for
 * native sockets. No object is called but for an event, a connect and a disconnect.
 */
import { z } from "zod";
import { authenticate, redeemTicket } from "../../auth/authenticate.ts";
import { networkOf } from "../../auth/rate-limit.ts";
import { config } from "../../config.ts";
import { type Ctx, startContext, type UserCtx } from "../../context.ts";
import { AppError, toAppError } from "../../errors.ts";
import { isNestedTooDeep } from "../../json-depth.ts";
import { logFailure } from "../../platform/log.ts";
import { authenticateAgain } from "../../realtime/auth-refresh.ts";
import { limitsFrom } from "../../realtime/budget.ts";
import { resultOf } from "../../realtime/commands.ts";
import { frameCode } from "../../realtime/protocol.ts";
import { objectKey } from "../../realtime/room-ref.ts";
import {
  type Application,
  type Arrival,
  type DisconnectReason,
  type Identity,
  type Missed,
  type NamespaceRequest,
  type Position,
  type ReceivedEvent,
  Refusal,
} from "../application.ts";
import type { Handshake } from "../engine/handshake.ts";
import { type Channel, channelCalled, channelOf, targetOf } from "./channels.ts";
import { Door } from "./door.ts";
import { Member, type MemberSocket, memberFrom } from "./member.ts";
import { isAbsent, Objects } from "./objects.ts";
import { roomOf, Subscriptions } from "./subscriptions.ts";

/** A client's own claims, whichever it uses. */
const Credentials = z.object({
  token: z.string().optional().catch(undefined),
  ticket: z.string().optional().catch(undefined),
});

export class RoomcastApplication implements Application<Member> {
  readonly stateSchema = Member;
  readonly #state: DurableObjectState;
  readonly #env: Env;
  readonly #objects: Objects;
  readonly #door: Door;
  readonly #subscriptions: Subscriptions;

  constructor(state: DurableObjectState, env: Env) {
    this.#state = state;
    this.#env = env;
    const contextFor = (address: string) => this.#context(address);
    this.#objects = new Objects(env);
    this.#door = new Door(limitsFrom(config(env)), contextFor);
    this.#subscriptions = new Subscriptions({ objects: this.#objects, door: this.#door, contextFor });
  }

  #context(address: string): Ctx {
    return startContext({ env: this.#env, address, later: (work) => this.#state.waitUntil(work) });
  }

  // ── Coming ────────────────────────────────────────────────────────────────────────────────────────────────────────

  hasNamespace(namespace: string): boolean {
    return namespace === "/";
  }

  async authenticate({ auth, handshake }: NamespaceRequest): Promise<Identity<Member>> {
    const ctx = this.#context(networkOf(handshake.address));
    try {
      const signedIn = await admit(ctx, auth, handshake);
      this.#door.enter(signedIn.actor.id);
      return { principal: `user:${signedIn.actor.id}`, state: memberFrom(signedIn) };
    } catch (thrown) {
      const { code, message, retryAfterSeconds, cause } = toAppError(thrown);
      if (code === "INTERNAL_ERROR") logFailure(ctx, "socketio.authenticate", cause ?? thrown);
      throw new Refusal(code, { code, message, ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }) });
    }
  }

  /** Into the hub, and back into the rooms it was in. */
  async connected(socket: MemberSocket, { recovered, identity }: Arrival<Member>): Promise<void> {
    const { subscriptions, spent } = socket.state;
    socket.state = recovered ? { ...identity.state, subscriptions, spent } : identity.state;
    try {
      const position = await this.#objects.enterHub(socket, !recovered);
      if (!recovered && position) {
        const { seq, epoch } = position;
        socket.emit("connected", { userId: socket.state.person.userId, seq, epoch });
      }
      await this.#subscriptions.renew(socket);
    } catch (thrown) {
      // Without its hub it has no kill switch: it may not stay.
      logFailure({ requestId: socket.id }, "socketio.connect", thrown);
      socket.emit("error", { code: "INTERNAL_ERROR", message: toAppError(thrown).message });
      socket.disconnect(true);
    }
  }

  // ── Events ────────────────────────────────────────────────────────────────────────────────────────────────────────

  async received(socket: MemberSocket, event: ReceivedEvent): Promise<void> {
    if (this.#endIfExpired(socket)) return;
    const input = dataOf(event);
    const channel = channelOf(event.name, input, socket.state.subscriptions);
    try {
      const data = await this.#execute(socket, event.name, input, channel);
      event.ack?.(data === undefined ? { success: true } : { success: true, data });
    } catch (thrown) {
      answerFailure(socket, event, channel?.failure ?? "error", thrown);
    }
  }

  async #execute(
    socket: MemberSocket,
    name: string,
    data: Record<string, unknown> | null,
    channel: Channel | undefined,
  ): Promise<unknown> {
    if (!data) throw this.#door.refusal(socket, new AppError("INVALID_MESSAGE", "An event's data is an object."));
    if (name === "auth:refresh") return this.#refresh(socket, data);
    // Whatever no room knows is the hub's to do, or to refuse and count.
    if (!channel) return this.#executeInHub(socket, name, data);
    const target = targetOf(channel, name, data);
    if (name === channel.leave) return this.#subscriptions.leave(socket, channel, target);
    const subscription =
      name === channel.join
        ? await this.#subscriptions.enter(socket, channel, target, data)
        : await this.#subscriptions.require(socket, channel, target, name);
    if (!Object.hasOwn(channel.commands, name)) return undefined;
    const execute = () => this.#objects.executeInRoom(socket, roomOf(channel, subscription), name, data);
    const outcome = await execute();
    if (!isAbsent(outcome)) return resultOf(outcome);
    await this.#subscriptions.rejoin(socket, channel, subscription);
    return resultOf(await execute());
  }

  async #executeInHub(socket: MemberSocket, name: string, data: unknown): Promise<unknown> {
    const outcome = await this.#objects.executeInHub(socket, name, data);
    if (!isAbsent(outcome)) return resultOf(outcome);
    await this.#objects.enterHub(socket);
    return resultOf(await this.#objects.executeInHub(socket, name, data));
  }

  async missed(socket: MemberSocket, object: string, after: Position, most: number): Promise<Missed | null> {
    const isHub = object === objectKey(null, String(socket.state.person.userId));
    const room = isHub ? null : this.#subscriptions.roomCalled(socket, object);
    return room === undefined ? null : this.#objects.missed(socket, room, { ...after, most });
  }

  async #refresh(socket: MemberSocket, data: unknown): Promise<{ expiresAt: string }> {
    this.#door.count(socket);
    const { person, address } = socket.state;
    const renewed = await authenticateAgain(this.#context(address), person.userId, data);
    socket.state = memberFrom(renewed, socket.state);
    await this.#objects.enterHub(socket);
    await this.#subscriptions.renew(socket);
    return { expiresAt: new Date(socket.state.expiresAt).toISOString() };
  }

  /** An acknowledgement of what nobody asked. */
  unexpected(socket: MemberSocket): void {
    try {
      this.#door.count(socket);
    } catch (thrown) {
      socket.emit("error", toldOf(toAppError(thrown)));
    }
  }

  checked(socket: MemberSocket): void {
    this.#endIfExpired(socket);
  }

  #endIfExpired(socket: MemberSocket): boolean {
    const hasExpired = socket.state.expiresAt <= Date.now();
    if (hasExpired) socket.disconnect(true);
    return hasExpired;
  }

  // ── Going ─────────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Who is lost for a while is away, for others; what is said meanwhile is kept for them by the gateway. */
  async suspended(socket: MemberSocket): Promise<void> {
    await this.#everywhere(socket, (object) => object.remoteSuspend(socket.id));
  }

  async disconnected(socket: MemberSocket, reason: DisconnectReason): Promise<void> {
    if (reason === "client namespace disconnect") this.#door.left(socket.state.person.userId);
    await this.#everywhere(socket, (object) => object.remoteLeave(socket.id));
  }

  async #everywhere(socket: MemberSocket, call: Parameters<Objects["everywhere"]>[1]): Promise<void> {
    const results = await Promise.allSettled(this.#objects.everywhere(socket.state, call));
    for (const result of results) {
      // An object that cannot be told finds out when it next sends here.
      if (result.status === "rejected") logFailure({ requestId: socket.id }, "socketio.leave", result.reason);
    }
  }

  /** A room has put a client out, which stays connected: it is told why. */
  expelled(socket: MemberSocket, object: string, error: { code: string; message: string }): void {
    const subscription = this.#subscriptions.forget(socket, object);
    const channel = subscription && channelCalled(subscription.channel);
    if (channel) socket.emit(channel.failure, { ...error, room: subscription.name });
  }
}

/** `auth: {ticket}` or `{token}`, bare or as `Bearer …`; a token may also be in the handshake's query or headers. */
async function admit(ctx: Ctx, auth: unknown, handshake: Handshake): Promise<UserCtx> {
  const { ticket, token = handshake.query.token ?? handshake.bearer } = Credentials.parse(auth);
  if (ticket !== undefined) return redeemTicket(ctx, ticket);
  if (!token) throw new AppError("UNAUTHORIZED");
  return authenticate(ctx, token.replace(/^Bearer\s+/i, ""));
}

/** An event's data: its first argument. None, or null, is as good as an empty object. Null for what is no object, or too deep. */
function dataOf({ args }: ReceivedEvent): Record<string, unknown> | null {
  const [data = null] = args;
  if (data === null) return {};
  if (typeof data !== "object" || Array.isArray(data) || data instanceof ArrayBuffer || ArrayBuffer.isView(data)) {
    return null;
  }
  return isNestedTooDeep(data) ? null : { ...data };
}

/** `{success: false, error}` to the callback, or, if the client passed none, the event `failure`. */
function answerFailure(socket: MemberSocket, { name, ack }: ReceivedEvent, failure: string, thrown: unknown): void {
  const error = toAppError(thrown);
  if (error.code === "INTERNAL_ERROR") {
    logFailure({ requestId: socket.id }, "socketio.failure", error.cause ?? error, { name });
  }
  const told = toldOf(error);
  if (ack) ack({ success: false, error: told });
  else socket.emit(failure, told);
}

function toldOf({ code, message, retryAfterSeconds }: AppError) {
  return { code: frameCode(code), message, ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }) };
}
