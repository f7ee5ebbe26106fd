/** Somebody in a call, where nothing is logged: who is there, and that signals come through, is what counts. */
import { NativeMember } from "./native-member.ts";
import type { User } from "./rest.ts";
import { Witness } from "./witness.ts";

export class CallMember extends NativeMember {
  readonly #sessionId: string;
  /** The last signals that came: a member who was cut off has missed some. */
  readonly heardSignals = new Set<string>();

  constructor(address: string, user: User, sessionId: string) {
    const speech = {
      say: (sdp: string) => ({ type: "webrtc:offer", data: { sessionId, sdp } }),
      event: "webrtc:offer",
      textField: "offer",
      enter: () => ({ type: "webrtc:join_session", data: { sessionId } }),
    };
    super(address, user, new Witness(`call/${user.username}`), speech, { isArray: false });
    this.#sessionId = sessionId;
  }

  protected override heard(text: string): void {
    this.heardSignals.add(text);
  }

  /** One try: signals are of the moment. @returns whether it was passed on */
  async signal(to: CallMember, offer: string): Promise<boolean> {
    const data = { sessionId: this.#sessionId, targetUserId: to.user.id, offer };
    return (await this.ask({ type: "webrtc:offer", data })) !== null;
  }
}
