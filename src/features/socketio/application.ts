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
import { logFailure } from "../../platform/log.ts";
import { Budgets } from "../../realtime/budget.ts";
import { AuthRefresh } from "../../realtime/protocol.ts";
import {
  type Admission,
  type Application,
  type Arrival,
  type ClientSocket,
  type ConnectRequest,
  type ReceivedEvent,
  Refusal,
} from "../../socketio/application.ts";
import { answerFailure, answerSuccess, dataOf } from "./answer.ts";
import { type Channel, targetOf } from "./channel.ts";
import { channelCalled, channelOf } from "./channels.ts";
import { Member, memberFrom, memberOf } from "./member.ts";
import { dataIn, Objects } from "./objects.ts";
import { Stays } from "./stays.ts";

/** A client's own claims, whichever it uses. */
const Credentials = z.object({
  token: z.string().optional().catch(undefined),
  ticket: z.string().optional().catch(undefined),
});

export class RoomcastApplication implements Application {
  readonly #state: DurableObjectState;
  readonly #env: Env;
  readonly #objects: Objects;
  readonly #stays: Stays;

  constructor(state: DurableObjectState, env: Env) {
    this.#state = state;
    this.#env = env;
    this.#objects = new Objects(env);
    this.#stays = new Stays(this.#objects, new Budgets(limitsOf(env)), (address) => this.#context(address));
  }

  hasNamespace(namespace: string): boolean {
    return namespace === "/";
  }

  /** `auth: {token}` or `{ticket}`; a token may also be in the handshake's query. */
  async authenticate({ auth, handshake }: ConnectRequest): Promise<Admission> {
    const ctx = this.#context(networkOf(handshake.address));
    try {
      const { ticket, token = handshake.query.token } = Credentials.parse(auth);
      const signedIn = await admit(ctx, { ticket, token });
      return { principal: `user:${signedIn.actor.id}`, state: memberFrom(signedIn) };
    } catch (thrown) {
      const { code, message, retryAfterSeconds, cause } = toAppError(thrown);
      if (code === "INTERNAL_ERROR") logFailure(ctx, "socketio.authenticate", cause ?? thrown);
      throw new Refusal(code, { code, message, ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }) });
    }
  }

  /** Into the hub, and back into the rooms it was in. */
  async connected(socket: ClientSocket, { recovered, admission }: Arrival): Promise<void> {
    const fresh = Member.parse(admission.state);
    const member = recovered ? { ...fresh, stays: memberOf(socket).stays } : fresh;
    socket.state = member;
    try {
      const { seq, epoch } = await this.#objects.enterHub(socket, member);
      if (!recovered) socket.emit("connected", { userId: member.person.userId, seq, epoch });
      await this.#stays.renew(socket);
    } catch (thrown) {
      // Without its hub it has no kill switch: it may not stay.
      logFailure({ requestId: socket.id }, "socketio.connect", thrown);
      socket.emit("error", { code: "INTERNAL_ERROR", message: toAppError(thrown).message });
      socket.disconnect(true);
    }
  }

  async received(socket: ClientSocket, event: ReceivedEvent): Promise<void> {
    if (this.#hasExpired(socket)) return;
    const channel = channelOf(event.name);
    try {
      answerSuccess(event, await this.#perform(socket, event, channel));
    } catch (thrown) {
      answerFailure(socket, event, channel?.failure ?? "error", thrown);
    }
  }

  async #perform(socket: ClientSocket, event: ReceivedEvent, channel: Channel | undefined): Promise<unknown> {
    const { name } = event;
    const data = dataOf(event);
    if (name === "auth:refresh") return this.#refresh(socket, data);
    // Whatever no room knows is the hub's to do, or to refuse and count.
    if (!channel) return dataIn(await this.#objects.actInHub(socket, memberOf(socket), name, data));
    if (name === channel.leave) return this.#stays.leave(socket, channel, targetOf(channel, data));
    const stay =
      name === channel.join
        ? await this.#stays.enter(socket, channel, targetOf(channel, data), data)
        : await this.#stays.require(socket, channel, targetOf(channel, data), name);
    if (!Object.hasOwn(channel.commands, name)) return undefined;
    return dataIn(await this.#objects.actInRoom(socket, channel.place, stay.object, name, data));
  }

  /** A new token for a connection that stays. It must be the same user's. */
  async #refresh(socket: ClientSocket, data: unknown): Promise<{ expiresAt: string }> {
    const parsed = AuthRefresh.safeParse(data);
    if (!parsed.success) throw new AppError("INVALID_MESSAGE", "data.token: expected a token");
    const member = memberOf(socket);
    const signedIn = await authenticate(this.#context(member.address), parsed.data.token);
    if (signedIn.actor.id !== member.person.userId) throw new AppError("FORBIDDEN");
    const renewed = memberFrom(signedIn, member.stays);
    socket.state = renewed;
    await this.#objects.enterHub(socket, renewed);
    await this.#stays.renew(socket);
    return { expiresAt: new Date(renewed.expiresAt).toISOString() };
  }

  checked(socket: ClientSocket): void {
    this.#hasExpired(socket);
  }

  #hasExpired(socket: ClientSocket): boolean {
    const hasExpired = memberOf(socket).expiresAt <= Date.now();
    if (hasExpired) socket.disconnect(true);
    return hasExpired;
  }

  /** Who is lost for a while is away, for others; what is said meanwhile is kept for them by the gateway. */
  async suspended(socket: ClientSocket): Promise<void> {
    await this.#forEachObject(socket, (object) => object.remoteSuspend(socket.id));
  }

  async disconnected(socket: ClientSocket): Promise<void> {
    await this.#forEachObject(socket, (object) => object.remoteLeave(socket.id));
  }

  async #forEachObject(socket: ClientSocket, call: Parameters<Objects["everywhere"]>[1]): Promise<void> {
    const results = await Promise.allSettled(this.#objects.everywhere(memberOf(socket), call));
    for (const result of results) {
      // An object that cannot be told finds out when it next sends here.
      if (result.status === "rejected") logFailure({ requestId: socket.id }, "socketio.leave", result.reason);
    }
  }

  /** A room has put clients out, and they stay connected: each is told why. */
  expelled(socket: ClientSocket, object: string, error: { code: string; message: string }): void {
    const stay = this.#stays.forget(socket, object);
    const channel = stay && channelCalled(stay.channel);
    if (channel) socket.emit(channel.failure, { ...error, room: stay.name });
  }

  #context(address: string): Ctx {
    return startContext({ env: this.#env, address, later: (work) => this.#state.waitUntil(work) });
  }
}

async function admit(ctx: Ctx, { ticket, token }: z.infer<typeof Credentials>): Promise<UserCtx> {
  if (ticket !== undefined) return redeemTicket(ctx, ticket);
  if (!token) throw new AppError("UNAUTHORIZED");
  return authenticate(ctx, token);
}

function limitsOf(env: Env) {
  const { RATE_LIMIT_MESSAGES: messages, RATE_LIMIT_TYPING: typing, RATE_LIMIT_SIGNALING: signaling } = config(env);
  return { messages, typing, signaling };
}
