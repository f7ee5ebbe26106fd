/**
 * The object of a topic: what was published under the name, and who hears it: users on their event sockets, through their
 * hubs, and a crowd on the topic's own socket. A name of which nothing was ever kept leaves nothing behind when the last one
 * who listened is gone.
 */
import { z } from "zod";
import { CLOSE } from "../../../errors.ts";
import type { HubTopicAnswer, TopicFrame } from "../../../hub/topics.ts";
import { callObject, hubName, objectCaller } from "../../../platform/objects.ts";
import { bindCommands } from "../../../realtime/commands.ts";
import type { Connection } from "../../../realtime/connection.ts";
import { EncodedFrame } from "../../../realtime/encoded-frame.ts";
import type { PublicationFrame, PublicationPosition } from "../../../realtime/publication.ts";
import { Room } from "../../../realtime/room.ts";
import { TopicRoomCommands, type TopicState } from "./contract.ts";
import { TopicLog } from "./log.ts";
import { Subscribers } from "./subscribers.ts";

/** How a connection comes in: until when its topic token lets it, ms. */
export const TopicContext = z.object({ until: z.number().nullable() });
export type TopicContext = z.infer<typeof TopicContext>;

/** What one connection is sent at once on its event socket; who missed more reads it on the topic's own. */
const HUB_REPLAY_BYTES = 1024 * 1024;

const Kept = z.looseObject({ type: z.string(), data: z.unknown(), topicSeq: z.number(), topicEpoch: z.string() });

export class TopicRoom extends Room {
  protected override readonly kind = "topic";
  protected override readonly roomKind = "TOPIC_ROOM";
  protected override readonly log: TopicLog;
  protected override readonly commands = bindCommands(TopicRoomCommands, { "topic:state": () => this.state() });
  readonly #subscribers: Subscribers;

  constructor(state: DurableObjectState, env: Env) {
    super(state, env);
    this.log = new TopicLog(state.storage, this.#topic);
    const hub = (userId: number, frames: TopicFrame[] | null): Promise<boolean> =>
      callObject(objectCaller(env), env.USER_HUB, hubName(userId), (stub) => stub.hearTopic(this.#topic, frames));
    this.#subscribers = new Subscribers({
      sql: state.storage.sql,
      deliver: hub,
      resync: (userId) => hub(userId, null),
      later: (work) => state.waitUntil(work),
      changed: () => this.#changed(),
    });
    this.timers.add(this.#subscribers);
    this.timers.add({ due: () => this.#nextEnd(), ring: (now) => this.#endExpired(now) });
  }

  get #topic(): string {
    return this.ctx.id.name ?? "";
  }

  // ── Publishing ────────────────────────────────────────────────────────────────────────────────────────────────────

  /** RPC: what the product's own backend publishes. With an `id` that came before, the answer is what it made then. */
  publish({ type, data, keep, id }: PublicationFrame): PublicationPosition {
    const known = id === undefined ? undefined : this.log.seqOf(id);
    if (known !== undefined) return { seq: known };
    const frame = { type, topic: this.#topic, data };
    if (!keep) {
      const encoded = EncodedFrame.of(frame);
      this.broadcast(encoded);
      this.#subscribers.send({ text: encoded.text });
      return {};
    }
    this.broadcastLogged(this.log.append({ type, data }, Date.now(), id));
    const { head: seq, epoch } = this.log;
    this.#subscribers.send({ text: JSON.stringify({ ...frame, topicSeq: seq, topicEpoch: epoch }), seq });
    return { seq };
  }

  /** RPC: how it stands. */
  state(): TopicState {
    const { head, epoch } = this.log;
    const alone = this.connections.people().filter(({ userId }) => !this.#subscribers.has(userId)).length;
    return {
      topic: this.#topic,
      topicSeq: head,
      topicEpoch: epoch === "" ? null : epoch,
      count: this.#subscribers.size + alone,
    };
  }

  // ── Hubs ──────────────────────────────────────────────────────────────────────────────────────────────────────────

  /**
   * RPC: a user's hub hears it from now on. The answer has what was kept after `since`; null: not all of it still is.
   * @throws AppError RATE_LIMIT there are too many
   */
  subscribe(userId: number, since: number | undefined, epoch: string | undefined): HubTopicAnswer {
    this.#subscribers.add(userId);
    return { state: this.state(), frames: since === undefined ? [] : this.#missed(since, epoch) };
  }

  #missed(since: number, epoch: string | undefined): TopicFrame[] | null {
    const page = this.log.canResume(since, epoch) ? this.log.page(since, HUB_REPLAY_BYTES) : null;
    return page?.to === this.log.head ? page.frames.map(forHub) : null;
  }

  /** RPC: it does not any more. */
  unsubscribe(userId: number): void {
    this.#subscribers.remove(userId);
  }

  // ── The topic's own socket ────────────────────────────────────────────────────────────────────────────────────────

  protected override opened(): void {
    this.timers.arm(Date.now());
  }

  protected override gone(): void {
    this.#changed();
  }

  #until({ context }: Connection): number | null {
    return TopicContext.safeParse(context).data?.until ?? null;
  }

  #nextEnd(): number | null {
    const ends = [...this.connections.values()].flatMap((connection) => this.#until(connection) ?? []);
    return ends.length === 0 ? null : Math.min(...ends);
  }

  #endExpired(now: number): void {
    for (const connection of [...this.connections.values()]) {
      const until = this.#until(connection);
      if (until !== null && until <= now) this.disconnect(connection, CLOSE.unauthorized, "UNAUTHORIZED");
    }
  }

  // ── What is stored ────────────────────────────────────────────────────────────────────────────────────────────────

  /** Nobody is told of a database that was set back: nothing here is of it, and hubs send their users anew. */
  protected override meet(): undefined {
    return undefined;
  }

  #changed(): void {
    this.timers.arm(Date.now());
    if (this.#isUnused) void this.ctx.blockConcurrencyWhile(() => this.#leaveNothing());
  }

  get #isUnused(): boolean {
    return !this.log.isThere && this.connections.size === 0 && this.#subscribers.size === 0;
  }

  async #leaveNothing(): Promise<void> {
    if (!this.#isUnused) return;
    await this.ctx.storage.deleteAll();
    this.timers.forget();
  }
}

/** As it is told on event sockets, whose frames have a `seq` of their own. */
function forHub({ text }: EncodedFrame): TopicFrame {
  const { seq: _seq, ...frame } = Kept.parse(JSON.parse(text));
  return { text: JSON.stringify(frame), seq: frame.topicSeq };
}
