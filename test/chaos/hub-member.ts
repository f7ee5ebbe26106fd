/** A user's own events: messages by what they say, and follows by who follows. */
import { silent } from "./members.ts";
import { type Frame, NativeMember } from "./native-member.ts";
import type { User } from "./rest.ts";
import type { Witness } from "./witness.ts";

export const followText = (by: string): string => `${by} follows`;

export class HubMember extends NativeMember {
  constructor(address: string, user: User, witness: Witness, isArray: boolean) {
    super(address, user, witness, { say: silent, event: "message:new", textField: "content" }, { isArray });
  }

  protected override textOf(frame: Frame): string | undefined {
    const { type, actor } = frame.type === "notification:new" ? Object(frame.data) : {};
    return type === "follow" ? followText(actor.username) : super.textOf(frame);
  }
}
