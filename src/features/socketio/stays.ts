/** The rooms that a client is in: entering, finding the one an event is for, leaving, and coming back. */

import { signIn } from "../../auth/authenticate.ts";
import type { Ctx } from "../../context.ts";
import { AppError, toAppError } from "../../errors.ts";
import type { Budgets } from "../../realtime/budget.ts";
import type { ClientSocket } from "../../socketio/application.ts";
import type { Channel, Target } from "./channel.ts";
import { channelCalled } from "./channels.ts";
import { MAX_STAYS, type Member, memberFrom, memberOf, Stay, sessionOf } from "./member.ts";
import type { Objects } from "./objects.ts";

export class Stays {
  readonly #objects: Objects;
  /** Entering asks the database twice, so it is counted here, per user; hibernation starts the count anew. */
  readonly #entries: Budgets;
  readonly #contextFor: (address: string) => Ctx;

  constructor(objects: Objects, entries: Budgets, contextFor: (address: string) => Ctx) {
    this.#objects = objects;
    this.#entries = entries;
    this.#contextFor = contextFor;
  }

  /**
   * Enters a room, whether the client is in it or not: a room may have put it out.
   * @throws AppError INVALID_MESSAGE no room is named · NOT_FOUND · FORBIDDEN · UNAUTHORIZED · RATE_LIMIT
   */
  async enter(socket: ClientSocket, channel: Channel, target: Target, data?: unknown): Promise<Stay> {
    const name = target && "name" in target ? target.name : undefined;
    if (name === undefined) throw nameless(channel);
    const { person } = memberOf(socket);
    this.#entries.require(person.userId, "messages", Date.now());
    this.#entries.sweep(Date.now());
    return this.#enter(socket, channel, { name, data: channel.joinsAgain ? data : undefined });
  }

  async #enter(
    socket: ClientSocket,
    channel: Channel,
    { name, data }: { name: string; data?: unknown },
  ): Promise<Stay> {
    const before = memberOf(socket);
    const ctx = await signIn(this.#contextFor(before.address), sessionOf(before));
    const { stub, facts } = await channel.enter(ctx, name);
    const stay = Stay.parse({ channel: channel.id, name, object: stub.name, data });
    const others = before.stays.filter((other) => !isSame(other, stay));
    if (others.length >= MAX_STAYS) throw new AppError("RATE_LIMIT", `A connection may be in ${MAX_STAYS} rooms.`);
    const member = memberFrom(ctx, [...others, stay]);
    // Noted first: whatever happens from here on, the room is told when the client goes.
    keep(socket, member);
    try {
      await this.#objects.enterRoom(socket, member, { place: channel.place, object: stay.object, facts });
    } catch (thrown) {
      this.forget(socket, stay.object);
      throw thrown;
    }
    return stay;
  }

  /** The room that an event is for. @throws AppError FORBIDDEN the client is not in it */
  async require(socket: ClientSocket, channel: Channel, target: Target, event: string): Promise<Stay> {
    const stay = this.#find(socket, channel, target);
    if (stay) return stay;
    if (target && "name" in target && channel.alsoJoin?.includes(event)) return this.enter(socket, channel, target);
    throw target ? new AppError("FORBIDDEN", `Join first, with ${channel.join}.`) : nameless(channel);
  }

  /** Leaving where one is not is no mistake: the room may have put the client out a moment ago. */
  async leave(socket: ClientSocket, channel: Channel, target: Target): Promise<void> {
    const stay = this.#find(socket, channel, target);
    if (!stay) return;
    this.forget(socket, stay.object);
    // Without the command, the room would wait for who is only lost. Whatever it answers, the client leaves.
    if (Object.hasOwn(channel.commands, channel.leave)) {
      await this.#objects.actInRoom(socket, channel.place, stay.object, channel.leave, {});
    }
    await this.#objects.leaveRoom(socket, channel.place, stay.object);
  }

  /** An event that names no room is for the only one of its kind, as on a native socket. */
  #find(socket: ClientSocket, channel: Channel, target: Target): Stay | undefined {
    const own = memberOf(socket).stays.filter((stay) => stay.channel === channel.id);
    if (target === null) return own.length === 1 ? own[0] : undefined;
    return own.find((stay) => ("name" in target ? stay.name === target.name : stay.object === target.object));
  }

  forget(socket: ClientSocket, object: string): Stay | undefined {
    const member = memberOf(socket);
    const stay = member.stays.find((one) => one.object === object);
    if (stay) socket.state = { ...member, stays: member.stays.filter((one) => one !== stay) };
    return stay;
  }

  /** Enters all its rooms again, as who the client is now. Where that is refused it is not any more, and is told. */
  async renew(socket: ClientSocket): Promise<void> {
    for (const { channel: id, name, object, data } of memberOf(socket).stays) {
      const channel = channelCalled(id);
      try {
        if (!channel) continue;
        await this.#enter(socket, channel, { name, data });
        if (data) await this.#objects.actInRoom(socket, channel.place, object, channel.join, data);
      } catch (thrown) {
        const { code, message } = toAppError(thrown);
        this.forget(socket, object);
        socket.emit(channel?.failure ?? "error", { code, message, room: name });
      }
    }
  }
}

/** @throws AppError RATE_LIMIT all that is known of the connection's rooms would not survive hibernation */
function keep(socket: ClientSocket, member: Member): void {
  try {
    socket.state = member;
  } catch (thrown) {
    if (thrown instanceof RangeError) throw new AppError("RATE_LIMIT", "This connection is in too many rooms.");
    throw thrown;
  }
}

const isSame = (one: Stay, other: Stay): boolean => one.channel === other.channel && one.object === other.object;

const nameless = ({ names }: Channel): AppError =>
  new AppError("INVALID_MESSAGE", `data.${names.fields[0]}: which one is meant?`);
