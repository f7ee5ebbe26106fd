/** What those in a session say to each other: an offer or an answer to one of them, a switch or an event to all. */
import { AppError } from "../../errors.ts";
import type { CommandContext } from "../../realtime/commands.ts";
import type { Connection } from "../../realtime/connection.ts";
import type { EncodedFrame } from "../../realtime/encoded-frame.ts";
import { encodeFrame } from "../../realtime/protocol.ts";
import type { WebrtcFrames } from "./contract.ts";
import type { Members } from "./members.ts";
import type { Member } from "./participant.ts";

type FrameType = keyof typeof WebrtcFrames;
type Switch = "audioEnabled" | "videoEnabled" | "screenSharing" | "handRaised";
type Addressed = { sessionId?: string | undefined; targetUserId: number };

type Host = {
  readonly members: Members;
  /** What clients call the session. */
  sessionId(): string;
  send(connection: Connection, frame: EncodedFrame): void;
};

export class Signaling {
  readonly #host: Host;

  constructor(host: Host) {
    this.#host = host;
  }

  /** To the target alone. Who it comes from is what the token said, whatever the frame says. */
  passOn(by: CommandContext, { sessionId, targetUserId }: Addressed, type: FrameType, content: object): void {
    const { members } = this.#host;
    const { userId } = this.#requireMember(by, sessionId);
    const target = targetUserId === userId ? undefined : members.get(targetUserId);
    if (!target) throw new AppError("NOT_FOUND", "This user is not in the session.");
    const connection = members.connectionOf(target);
    if (!connection) throw new AppError("NOT_FOUND", "This user is not connected right now.");
    this.tell(connection, type, { fromUserId: userId, ...content });
  }

  /** Turns something on or off for all to see; what is so already is not told again. */
  setFlag(
    by: CommandContext,
    sessionId: string | undefined,
    what: Switch,
    isOn: boolean,
    type: FrameType,
    content = {},
  ): void {
    const member = this.#requireMember(by, sessionId);
    if (member.state[what] === isOn) return;
    member.state[what] = isOn;
    this.#host.members.keep(member);
    this.tellOthers(member, type, content);
  }

  /** A product's own event, to all who take part. */
  emit(by: CommandContext, sessionId: string | undefined, { name, data }: { name: string; data: unknown }): void {
    const { userId } = this.#requireMember(by, sessionId);
    const frame = encodeFrame({ type: "event", data: { name, data, userId, roomId: this.#host.sessionId() } });
    for (const connection of this.#host.members.connections()) this.#host.send(connection, frame);
  }

  /** A frame that names a session must mean this one. @throws AppError NOT_FOUND */
  requireHere(sessionId: string | undefined): void {
    if (sessionId !== undefined && sessionId !== this.#host.sessionId()) throw new AppError("NOT_FOUND");
  }

  /** A window that was taken over from no longer takes part. */
  #requireMember(by: CommandContext, sessionId: string | undefined): Member {
    this.requireHere(sessionId);
    const member = this.#host.members.get(by.person.userId);
    if (!member || (by.connection && by.connection.id !== member.connectionId)) {
      throw new AppError("FORBIDDEN", "Join the session first.");
    }
    return member;
  }

  tell(connection: Connection, type: FrameType, data: object): void {
    this.#host.send(connection, this.#encode(type, data));
  }

  tellOthers({ userId }: Member, type: FrameType, content: object = {}): void {
    const frame = this.#encode(type, { userId, ...content });
    for (const connection of this.#host.members.connections(userId)) this.#host.send(connection, frame);
  }

  #encode(type: FrameType, data: object): EncodedFrame {
    return encodeFrame({ type, data: { sessionId: this.#host.sessionId(), ...data } });
  }
}
