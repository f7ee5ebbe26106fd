/** A call, where nothing is logged: what counts is who is there, and that what they tell each other comes through. */
import { type Member, type Speech, silent } from "./members.ts";
import type { Rest, User } from "./rest.ts";
import { until } from "./until.ts";

export class Call {
  readonly members: Member[];
  readonly #rest: Rest;
  readonly #sessionId: string;
  readonly #heard = new Map<User, Set<string>>();

  /** @param populate lets everybody in, each with a speech of their own */
  constructor(rest: Rest, sessionId: string, populate: (speechOf: (user: User) => Speech) => Member[]) {
    this.#rest = rest;
    this.#sessionId = sessionId;
    this.members = populate((user) => this.#speechOf(user));
  }

  #speechOf(user: User): Speech {
    const heard = new Set<string>();
    this.#heard.set(user, heard);
    const join = { type: "webrtc:join_session", data: { sessionId: this.#sessionId } };
    return {
      say: silent,
      event: "webrtc:offer_received",
      textField: "offer",
      join,
      enter: () => join,
      heard: (offer) => void heard.add(offer),
    };
  }

  /** One try: it is of the moment. @returns whether it was passed on */
  signal(from: Member, to: Member, offer: string): Promise<boolean> {
    const data = { sessionId: this.#sessionId, targetUserId: to.user.id, offer };
    return from.order({ type: "webrtc:offer", data });
  }

  /** In the end everybody is there, once, and hears whoever calls them. */
  async faults(): Promise<string[]> {
    const found: string[] = [];
    const note = (error: unknown) => void found.push(String(error));
    for (const [index, from] of this.members.entries()) {
      const to = this.members[(index + 1) % this.members.length] ?? from;
      const offer = `the last signal of ${from.user.username}`;
      const came = async () => (await this.signal(from, to, offer)) && this.#heard.get(to.user)?.has(offer) === true;
      await until(came, `${offer} has come to ${to.user.username}`).catch(note);
    }
    const right = this.members.map(({ user }) => user.id).join();
    await until(async () => (await this.#present()) === right, `those in the call are ${right}`).catch(note);
    return found;
  }

  async #present(): Promise<string> {
    const token = this.members[0]?.user.token ?? "";
    const { attendance } = await this.#rest.call(`/webrtc/sessions/${this.#sessionId}/attendance`, { token });
    const open = attendance.filter(({ leftAt }: { leftAt: string | null }) => leftAt === null);
    const ids: number[] = open.map(({ userId }: { userId: number }) => userId);
    return ids.toSorted((a, b) => a - b).join();
  }
}
