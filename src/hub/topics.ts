/**
 * The topics that a user's connections hear (SPEC 12). Which ones stands with each connection, so that it outlives the
 * object's sleep and ends with the connection; a topic's object is told of the first of them, and of the last.
 */
import { z } from "zod";
import { AppError } from "../errors.ts";
import { logFailure } from "../platform/log.ts";
import { callObject, objectCaller } from "../platform/objects.ts";
import type { Connection } from "../realtime/connection.ts";
import { EncodedFrame } from "../realtime/encoded-frame.ts";
import { encodeFrame } from "../realtime/protocol.ts";
import type { Timer } from "../realtime/timers.ts";

/** A publication as event sockets get it; `seq`: its position in the topic's log, if it is kept. */
export type TopicFrame = { text: string; seq?: number };
type TopicPosition = { topic: string; topicSeq: number; topicEpoch: string | null; count: number };
/** `frames`: what was missed, all of it; null: not all of it is still kept. */
export type HubTopicAnswer = { state: TopicPosition; frames: TopicFrame[] | null };

/** SPEC 12. */
const TOPICS_PER_USER = 50;

/** Each with until when it is heard, ms; null: as long as there is the connection. */
const Heard = z.object({ topics: z.array(z.tuple([z.string(), z.number().nullable()])) });
type Heard = z.infer<typeof Heard>;
type Topics = Map<string, number | null>;
const heardBy = ({ context }: Connection): Topics => new Map(Heard.safeParse(context).data?.topics);

type Subscription = { topic: string; until: number | null; since?: number | undefined; epoch?: string | undefined };

type Host = {
  env: Env;
  userId: () => number;
  /** All of the user's, also those that are lost and may come back. */
  connections: () => Iterable<Connection>;
  send: (connection: Connection, frame: EncodedFrame) => void;
  later: (work: Promise<unknown>) => void;
  arm: () => void;
};

export class HubTopics implements Timer {
  readonly #host: Host;
  /** Topic → the last call of its object: one after the other. */
  readonly #calls = new Map<string, Promise<unknown>>();
  /** What comes for a connection before it was sent what it missed: connection id and topic. */
  readonly #early = new Map<string, TopicFrame[]>();

  constructor(host: Host) {
    this.#host = host;
  }

  /** What any of the user's connections hears, each once. */
  get heard(): string[] {
    return [...new Set([...this.#host.connections()].flatMap((one) => [...heardBy(one).keys()]))];
  }

  /**
   * Sends what was missed, if a position is given, and then all that comes.
   * @throws AppError RATE_LIMIT the user hears too many topics, or too many hear this one
   */
  async subscribe(connection: Connection, { topic, until, since, epoch }: Subscription) {
    const { heard } = this;
    if (!heard.includes(topic) && heard.length >= TOPICS_PER_USER) {
      throw new AppError("RATE_LIMIT", `A user may hear ${TOPICS_PER_USER} topics.`);
    }
    const early: TopicFrame[] = [];
    const key = earlyKeyOf(connection, topic);
    this.#early.set(key, early);
    // Noted first: whatever happens from here on, the topic is told when the connection goes.
    this.#note(connection, heardBy(connection).set(topic, until));
    try {
      const { state, frames } = await this.#call(topic, (userId, room) => room.subscribe(userId, since, epoch));
      const missed = [...(frames ?? []), ...early.filter(({ seq }) => seq === undefined || seq > state.topicSeq)];
      for (const { text } of missed) this.#host.send(connection, EncodedFrame.stored(text, 0));
      return { state, isWhole: frames !== null };
    } catch (error) {
      this.#drop(connection, topic);
      throw error;
    } finally {
      if (this.#early.get(key) === early) this.#early.delete(key);
    }
  }

  async unsubscribe(connection: Connection, topic: string): Promise<void> {
    if (!heardBy(connection).has(topic)) return;
    this.#drop(connection, topic);
    await Promise.allSettled([this.#calls.get(topic)]);
  }

  /** A connection is gone for good, and its subscriptions with it. */
  gone(connection: Connection): void {
    for (const topic of heardBy(connection).keys()) this.#release(topic);
  }

  /** Sends frames to who hears the topic; null: something was lost on the way. Answers whether anybody does. */
  hear(topic: string, frames: TopicFrame[] | null): boolean {
    const listeners = this.#listeners(topic);
    const came = frames ?? [{ text: encodeFrame({ type: "topic:resync", data: { topic } }).text }];
    const encoded = came.map(({ text }) => EncodedFrame.stored(text, 0));
    for (const connection of listeners) {
      const early = this.#early.get(earlyKeyOf(connection, topic));
      if (early) early.push(...came);
      else for (const frame of encoded) this.#host.send(connection, frame);
    }
    return listeners.length > 0;
  }

  #listeners(topic: string): Connection[] {
    const now = Date.now();
    return [...this.#host.connections()].filter((connection) => {
      const until = heardBy(connection).get(topic);
      return until !== undefined && (until === null || until > now);
    });
  }

  #note(connection: Connection, topics: Topics): void {
    connection.context = { topics: [...topics] } satisfies Heard;
    connection.save();
    this.#host.arm();
  }

  #drop(connection: Connection, topic: string): void {
    const topics = heardBy(connection);
    topics.delete(topic);
    this.#note(connection, topics);
    this.#release(topic);
  }

  /** Tells the topic's object, if nobody hears it any more by the time it is told. */
  #release(topic: string): void {
    const isHeard = () => [...this.#host.connections()].some((connection) => heardBy(connection).has(topic));
    if (isHeard()) return;
    const told = this.#call(topic, async (userId, room) => {
      if (!isHeard()) await room.unsubscribe(userId);
    });
    // A topic that could not be told finds out with the next publication.
    this.#host.later(told.catch((error) => logFailure({ requestId: "" }, "topic.release", error, { topic })));
  }

  #call<R>(topic: string, call: (userId: number, room: TopicStub) => Promise<R>): Promise<R> {
    const { env, userId } = this.#host;
    const run = () => callObject(objectCaller(env), env.TOPIC_ROOM, topic, (room) => call(userId(), room));
    const made = (this.#calls.get(topic) ?? Promise.resolve()).then(run, run);
    this.#calls.set(topic, made);
    const forget = () => this.#calls.get(topic) === made && this.#calls.delete(topic);
    void made.then(forget, forget);
    return made;
  }

  // ── Tokens that end ───────────────────────────────────────────────────────────────────────────────────────────────

  due(): number | null {
    const ends = [...this.#host.connections()].flatMap((one) =>
      [...heardBy(one).values()].filter((until) => until !== null),
    );
    return ends.length === 0 ? null : Math.min(...ends);
  }

  ring(now: number): void {
    for (const connection of this.#host.connections()) {
      for (const [topic, until] of heardBy(connection)) {
        if (until === null || until > now) continue;
        this.#host.send(connection, encodeFrame({ type: "topic:unsubscribed", data: { topic } }));
        this.#drop(connection, topic);
      }
    }
  }
}

/** A topic's object. */
type TopicStub = ReturnType<Env["TOPIC_ROOM"]["getByName"]>;

const earlyKeyOf = ({ id }: Connection, topic: string): string => `${id} ${topic}`;
