/** The objects that a gateway's clients are members of: their users' hubs, and rooms. */
import { z } from "zod";
import { callObject, hubName, objectCaller } from "../../platform/objects.ts";
import { type Outcome, resultOf } from "../../realtime/commands.ts";
import { type ConnectRequest, toCrossing } from "../../realtime/connection-state.ts";
import type { Room } from "../../realtime/room.ts";
import { objectKey, type RoomKind, type RoomRef } from "../../realtime/room-ref.ts";
import { hubsOf, namespaceOf } from "../../realtime/rooms.ts";
import type { Membership, Missed, Position } from "../application.ts";
import { channelCalled } from "./channels.ts";
import { connectRequestOf, type Member, type MemberSocket } from "./member.ts";

/** An object of the release before gives memberships no numbers. */
const JoinAnswer = z.object({
  seq: z.number(),
  epoch: z.string(),
  join: z.number().default(0),
  isGreeted: z.boolean().default(false),
});

type Stub = DurableObjectStub<Room>;

export class Objects {
  readonly #env: Env;

  constructor(env: Env) {
    this.#env = env;
  }

  /** `isNew`: it is sent what waits for its user. Answers its position; null if the hub has sent it, and what waited after it. */
  async enterHub(socket: MemberSocket, isNew = false): Promise<Position | null> {
    const request = { ...connectRequestOf(socket.state), takesQueue: isNew };
    const { membership, isGreeted } = await this.#hub(socket.state, (hub) => join(hub, socket, request));
    socket.subscribed(objectKey(null, String(socket.state.person.userId)), membership);
    return isGreeted ? null : membership;
  }

  /** `isAsked`: by the client, which knows that it begins anew. */
  async enterRoom(socket: MemberSocket, room: RoomRef, { context, isAsked }: { context: unknown; isAsked: boolean }) {
    const request = connectRequestOf(socket.state, context);
    const { membership } = await this.#room(room, (stub) => join(stub, socket, request));
    socket.subscribed(objectKey(room.kind, room.name), membership, isAsked);
  }

  /** What the hub has logged after a position, or, if it is named, a room; see Room.remoteReplay. */
  missed(
    { id, state }: MemberSocket,
    room: RoomRef | null,
    after: Position & { most: number },
  ): Promise<Missed | null> {
    const replay = (stub: Stub): Promise<Missed | null> => stub.remoteReplay(id, after);
    return room ? this.#room(room, replay) : this.#hub(state, replay);
  }

  executeInHub({ id, state }: MemberSocket, type: string, data: unknown): Promise<Outcome> {
    return this.#hub(state, (hub) => hub.executeRemote(id, type, data));
  }

  /** Not repeated if it fails: what a command does may have been done. */
  executeInRoom({ id }: MemberSocket, room: RoomRef, type: string, data: unknown): Promise<Outcome> {
    return this.#room(room, (stub) => stub.executeRemote(id, type, data), false);
  }

  leaveRoom({ id }: MemberSocket, room: RoomRef): Promise<void> {
    return this.#room(room, (stub) => stub.remoteLeave(id));
  }

  /** One call for the hub and for each room. */
  everywhere(member: Member, call: (object: Stub) => Promise<void>): Promise<void>[] {
    const rooms = member.subscriptions.flatMap(({ channel, object }) => {
      const kind: RoomKind | undefined = channelCalled(channel)?.kind;
      return kind ? [this.#room({ kind, name: object }, call)] : [];
    });
    return [this.#hub(member, call), ...rooms];
  }

  #room<R>({ kind, name }: RoomRef, call: (room: Stub) => Promise<R>, mayRepeat = true): Promise<R> {
    return callObject(objectCaller(this.#env), namespaceOf(this.#env, kind), name, call, { mayRepeat });
  }

  #hub<R>({ person }: Member, call: (hub: Stub) => Promise<R>): Promise<R> {
    return callObject(objectCaller(this.#env), hubsOf(this.#env), hubName(person.userId), call);
  }
}

async function join(
  stub: Stub,
  { id, gateway }: MemberSocket,
  request: ConnectRequest,
): Promise<{ membership: Membership; isGreeted: boolean }> {
  const outcome = await stub.remoteJoin(toCrossing(request), { gateway, socketId: id });
  const { isGreeted, ...membership } = JoinAnswer.parse(resultOf(outcome));
  return { membership, isGreeted };
}

/** Whether an object does not know the client, which has not left it: it may have lost it. */
export const isAbsent = (outcome: Outcome): boolean => !outcome.ok && outcome.isAbsent === true;
