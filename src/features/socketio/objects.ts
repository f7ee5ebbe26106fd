/** The objects that a gateway's clients are members of: their users' hubs, and rooms. */
import { z } from "zod";
import { AppError } from "../../errors.ts";
import { zeroCost } from "../../platform/cost.ts";
import { callObject } from "../../platform/objects.ts";
import type { Outcome } from "../../realtime/commands.ts";
import type { Room } from "../../realtime/room.ts";
import type { RoomKind } from "../../realtime/room-ref.ts";
import { namespaceOf } from "../../realtime/rooms.ts";
import type { ClientSocket } from "../../socketio/application.ts";
import { channelCalled } from "./channels.ts";
import { connectRequestOf, type Member } from "./member.ts";

const Position = z.object({ seq: z.number(), epoch: z.string() });
export type Position = z.infer<typeof Position>;

/** Calls between objects belong to no request's bill. */
const ownCost = () => ({ cost: zeroCost() });

type Stub = DurableObjectStub<Room>;

export class Objects {
  readonly #env: Env;

  constructor(env: Env) {
    this.#env = env;
  }

  enterHub(socket: ClientSocket, member: Member): Promise<Position> {
    return this.#hub(member, (hub) => this.#join(hub, socket, member, undefined));
  }

  enterRoom(socket: ClientSocket, member: Member, at: { place: RoomKind; object: string; facts: unknown }) {
    return this.#room(at.place, at.object, (room) => this.#join(room, socket, member, at.facts));
  }

  actInHub({ id }: ClientSocket, member: Member, type: string, data: unknown): Promise<Outcome> {
    return this.#hub(member, (hub) => hub.executeRemote(id, type, data));
  }

  /** Not repeated if it fails: what a command does may have been done. */
  actInRoom({ id }: ClientSocket, place: RoomKind, object: string, type: string, data: unknown): Promise<Outcome> {
    return namespaceOf(this.#env, place).getByName(object).executeRemote(id, type, data);
  }

  leaveRoom({ id }: ClientSocket, place: RoomKind, object: string): Promise<void> {
    return this.#room(place, object, (room) => room.remoteLeave(id));
  }

  /** One call for the hub and for each room. */
  everywhere(member: Member, call: (object: Stub) => Promise<void>): Promise<void>[] {
    const rooms = member.stays.flatMap(({ channel, object }) => {
      const place = channelCalled(channel)?.place;
      return place ? [this.#room(place, object, call)] : [];
    });
    return [this.#hub(member, call), ...rooms];
  }

  async #join(stub: Stub, { id, gateway }: ClientSocket, member: Member, facts: unknown): Promise<Position> {
    return Position.parse(dataIn(await stub.remoteJoin(connectRequestOf(member, facts), { gateway, socketId: id })));
  }

  #room<R>(place: RoomKind, object: string, call: (room: Stub) => Promise<R>): Promise<R> {
    return callObject(ownCost(), namespaceOf(this.#env, place), object, call);
  }

  #hub<R>({ person }: Member, call: (hub: Stub) => Promise<R>): Promise<R> {
    // The hub is a room like any other, as far as this is concerned.
    const hubs = this.#env.USER_HUB as unknown as DurableObjectNamespace<Room>;
    return callObject(ownCost(), hubs, String(person.userId), call);
  }
}

/** What a command answered. @throws AppError as the object refused it */
export function dataIn(outcome: Outcome): unknown {
  if (outcome.ok) return outcome.data;
  const { code, message, retryAfterSeconds } = outcome.error;
  throw new AppError(code, message, retryAfterSeconds === undefined ? {} : { retryAfterSeconds });
}
