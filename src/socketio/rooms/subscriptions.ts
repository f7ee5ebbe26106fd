/** The rooms that a client is in: entering, finding the one an event is for, leaving, and coming back. */
import { signIn } from "../../auth/authenticate.ts";
import type { Ctx, UserCtx } from "../../context.ts";
import { AppError, toAppError } from "../../errors.ts";
import { objectKey, type RoomRef } from "../../realtime/room-ref.ts";
import { type Channel, channelCalled, type Target } from "./channels.ts";
import type { Door } from "./door.ts";
import { MAX_SUBSCRIPTIONS, type Member, type MemberSocket, memberFrom, Subscription, sessionOf } from "./member.ts";
import type { Objects } from "./objects.ts";

type Parts = { objects: Objects; door: Door; contextFor: (address: string) => Ctx };

export class Subscriptions {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /**
   * Enters a room, whether the client is in it or not: a room may have put it out.
   * @throws AppError INVALID_MESSAGE no room is named · NOT_FOUND · FORBIDDEN · UNAUTHORIZED · RATE_LIMIT
   */
  async enter(socket: MemberSocket, channel: Channel, target: Target, data?: unknown): Promise<Subscription> {
    this.#parts.door.count(socket);
    const name = target && "name" in target ? target.name : undefined;
    if (name === undefined) throw nameless(channel);
    const ctx = await this.#signIn(socket);
    return this.#enterAs(ctx, socket, channel, { name, data: channel.joinsAgain ? data : undefined });
  }

  async #enterAs(
    ctx: UserCtx,
    socket: MemberSocket,
    channel: Channel,
    { name, data, object }: { name: string; data?: unknown; object?: string | undefined },
  ): Promise<Subscription> {
    const { stub, context } = await channel.enter(ctx, name, object !== undefined);
    // A name may have passed on to another room, which is not the one that this client was in.
    if (object !== undefined && stub.name !== object) throw new AppError("NOT_FOUND");
    const subscription = Subscription.parse({ channel: channel.id, name, object: stub.name, data });
    const before = socket.state;
    const others = before.subscriptions.filter((other) => !isSame(other, subscription));
    if (others.length >= MAX_SUBSCRIPTIONS) {
      throw new AppError("RATE_LIMIT", `A connection may be in ${MAX_SUBSCRIPTIONS} rooms.`);
    }
    // Noted first: whatever happens from here on, the room is told when the client goes.
    keep(socket, memberFrom(ctx, { ...before, subscriptions: [...others, subscription] }));
    try {
      const isAsked = object === undefined;
      await this.#parts.objects.enterRoom(socket, roomOf(channel, subscription), { context, isAsked });
    } catch (thrown) {
      this.forget(socket, keyOf(subscription));
      throw thrown;
    }
    return subscription;
  }

  #signIn({ state }: MemberSocket): Promise<UserCtx> {
    return signIn(this.#parts.contextFor(state.address), sessionOf(state));
  }

  /** The room that an event is for. @throws AppError FORBIDDEN the client is not in it */
  async require(socket: MemberSocket, channel: Channel, target: Target, event: string): Promise<Subscription> {
    const found = find(socket.state, channel, target);
    if (found) return found;
    if (target && "name" in target && channel.alsoJoin?.includes(event)) return this.enter(socket, channel, target);
    const problem = target ? new AppError("FORBIDDEN", `Join first, with ${channel.join}.`) : nameless(channel);
    throw this.#parts.door.refusal(socket, problem);
  }

  /** Leaving where one is not is no mistake: the room may have put the client out a moment ago. */
  async leave(socket: MemberSocket, channel: Channel, target: Target): Promise<void> {
    const { objects, door } = this.#parts;
    const found = find(socket.state, channel, target);
    if (!found) return door.count(socket);
    const room = roomOf(channel, found);
    this.forget(socket, keyOf(found));
    // Without the command, the room would wait for who is only lost. Whatever it answers, the client leaves.
    if (Object.hasOwn(channel.commands, channel.leave)) await objects.executeInRoom(socket, room, channel.leave, {});
    await objects.leaveRoom(socket, room);
  }

  /** `key`: of the room's object; see `objectKey`. */
  forget(socket: MemberSocket, key: string): Subscription | undefined {
    const { subscriptions } = socket.state;
    const found = subscriptions.find((one) => keyOf(one) === key);
    if (!found) return undefined;
    socket.state = { ...socket.state, subscriptions: subscriptions.filter((one) => one !== found) };
    socket.unsubscribed(key);
    return found;
  }

  /** Enters all its rooms again, as who the client is now. Where that is refused it is not any more, and is told. */
  async renew(socket: MemberSocket): Promise<void> {
    const { subscriptions } = socket.state;
    if (subscriptions.length === 0) return;
    const ctx = await this.#signIn(socket);
    for (const subscription of subscriptions) await this.#renewOne(ctx, socket, subscription);
  }

  /** A room does not know the client any more, which did not leave it: it enters again. @throws AppError it may not */
  async rejoin(socket: MemberSocket, channel: Channel, subscription: Subscription): Promise<void> {
    await this.#enterAgain(await this.#signIn(socket), socket, channel, subscription);
  }

  async #enterAgain(ctx: UserCtx, socket: MemberSocket, channel: Channel, { name, data, object }: Subscription) {
    await this.#enterAs(ctx, socket, channel, { name, data, object });
    if (data) await this.#parts.objects.executeInRoom(socket, { kind: channel.kind, name: object }, channel.join, data);
  }

  /** The room with this key; see `objectKey`. */
  roomCalled({ state }: MemberSocket, key: string): RoomRef | undefined {
    const found = state.subscriptions.find((one) => keyOf(one) === key);
    const channel = found && channelCalled(found.channel);
    return channel && roomOf(channel, found);
  }

  async #renewOne(ctx: UserCtx, socket: MemberSocket, subscription: Subscription) {
    const channel = channelCalled(subscription.channel);
    if (!channel) return;
    try {
      await this.#enterAgain(ctx, socket, channel, subscription);
    } catch (thrown) {
      const { code, message } = toAppError(thrown);
      this.forget(socket, keyOf(subscription));
      socket.emit(channel.failure, { code, message, room: subscription.name });
    }
  }
}

/** An event that names no room is for the only one of its kind, as on a native socket. */
function find({ subscriptions }: Member, channel: Channel, target: Target): Subscription | undefined {
  const own = subscriptions.filter((one) => one.channel === channel.id);
  if (target === null) return own.length === 1 ? own[0] : undefined;
  return own.find((one) => ("name" in target ? one.name === target.name : one.object === target.object));
}

export const roomOf = ({ kind }: Channel, { object }: Subscription): RoomRef => ({ kind, name: object });

/** @throws AppError RATE_LIMIT all that is known of the connection's rooms would not survive hibernation */
function keep(socket: MemberSocket, member: Member): void {
  try {
    socket.state = member;
  } catch (thrown) {
    if (thrown instanceof RangeError) throw new AppError("RATE_LIMIT", "This connection is in too many rooms.");
    throw thrown;
  }
}

/** The key of its room's object; none, if that is of a kind that is no more. */
function keyOf({ channel, object }: Subscription): string {
  const kind = channelCalled(channel)?.kind;
  return kind ? objectKey(kind, object) : "";
}

const isSame = (one: Subscription, other: Subscription): boolean =>
  one.channel === other.channel && one.object === other.object;

const nameless = ({ names }: Channel): AppError =>
  new AppError("INVALID_MESSAGE", `data.${names.fields[0]}: which one is meant?`);
