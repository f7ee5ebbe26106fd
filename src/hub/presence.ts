/** Who is told that the user came or went: the database at once, their friends afterwards, and less often. */
import type { Ctx } from "../context.ts";
import type { Timers } from "../realtime/timers.ts";
import { type HubFeatures, hubFeatures } from "./features.ts";
import { PresenceNews } from "./presence-news.ts";

type Host = {
  state: DurableObjectState;
  timers: Timers;
  context: () => Ctx;
  userId: () => number;
  isOnline: () => boolean;
};

export class HubPresence {
  readonly #host: Host;
  readonly #features: HubFeatures = hubFeatures();
  readonly #news: PresenceNews;
  #written: Promise<void> = Promise.resolve();

  constructor(host: Host) {
    this.#host = host;
    this.#news = new PresenceNews({
      sql: host.state.storage.sql,
      timers: host.timers,
      isOnline: host.isOnline,
      tell: (isOnline) => this.#tellFriends(isOnline),
    });
  }

  /** One write after the other, each with what is true by then: the last one to arrive is right. */
  changed(now: number): void {
    const { state, context, userId, isOnline } = this.#host;
    const write = () => this.#features.recordPresence(context(), userId(), isOnline());
    this.#written = this.#written.then(write, write);
    state.waitUntil(this.#written);
    this.#news.changed(now);
  }

  /** After the database knows it, which says when the user was last seen. */
  #tellFriends(isOnline: boolean): void {
    const { state, context, userId } = this.#host;
    state.waitUntil(this.#written.then(() => this.#features.tellFriends(context(), userId(), isOnline)));
  }
}
