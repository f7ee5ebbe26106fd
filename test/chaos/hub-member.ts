/** A user's own events: messages by what they say, and follows by how many there were of one person. */
import { silent } from "./members.ts";
import { type Frame, NativeMember } from "./native-member.ts";
import type { User } from "./rest.ts";
import type { Witness } from "./witness.ts";

export const followText = (by: string, count: number): string => `${by} follows for the ${count}th time`;

export class HubMember extends NativeMember {
  readonly #follows = new Map<unknown, number>();

  constructor(address: string, user: User, witness: Witness, isArray: boolean) {
    super(address, user, witness, { say: silent, event: "message:new", textField: "content" }, { isArray });
  }

  protected override textOf(frame: Frame): string | undefined {
    const { type, actor } = frame.type === "notification:new" ? Object(frame.data) : {};
    if (type !== "follow") return super.textOf(frame);
    const count = (this.#follows.get(actor.username) ?? 0) + 1;
    this.#follows.set(actor.username, count);
    return followText(actor.username, count);
  }
}
