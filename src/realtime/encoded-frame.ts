/** A frame on its way out: serialised once for each wire format, however many get it, and never read again on the way. */
import { z } from "zod";

/** A frame before it is sent. Some of the protocol's own have no `data`, or more beside it. */
export type OutgoingFrame = { type: string; data?: unknown; [key: string]: unknown };

const StoredFrame = z.object({
  type: z.string(),
  data: z.unknown().optional(),
  topic: z.string().optional(),
  topicSeq: z.number().optional(),
  topicEpoch: z.string().optional(),
});

const People = z.array(z.number().int());

export class EncodedFrame {
  /** As native sockets get it. */
  readonly text: string;
  /** Where it stands in the object's log; 0 if it does not. */
  readonly seq: number;
  readonly #frame: OutgoingFrame | undefined;
  readonly #people: readonly number[] | string;
  #event: string | undefined;

  private constructor(text: string, seq: number, people: readonly number[] | string, frame?: OutgoingFrame) {
    this.text = text;
    this.seq = seq;
    this.#people = people;
    this.#frame = frame;
  }

  /** `seq`: its position in the log, if it has one; clients are told. */
  static of(frame: OutgoingFrame, seq?: number, people: readonly number[] = []): EncodedFrame {
    return new EncodedFrame(JSON.stringify(seq === undefined ? frame : { ...frame, seq }), seq ?? 0, people, frame);
  }

  /** One that was encoded when it was logged, with the people of its row: JSON, or null. */
  static stored(text: string, seq: number, people: string | null = null): EncodedFrame {
    return new EncodedFrame(text, seq, people ?? []);
  }

  /** The users whose words it has, besides its receiver, where its log knows. Only gateways ask. */
  get people(): readonly number[] {
    return typeof this.#people === "string" ? People.parse(JSON.parse(this.#people)) : this.#people;
  }

  get type(): string {
    return this.#parts.type;
  }

  /** As Socket.IO's clients get it: the type is the event's name, the data its argument, a topic's position one more. */
  get event(): string {
    if (this.#event === undefined) {
      const { type, data, topic, topicSeq, topicEpoch } = this.#parts;
      if (topic !== undefined) this.#event = JSON.stringify([type, data, { topic, topicSeq, topicEpoch }]);
      else this.#event = JSON.stringify(data === undefined ? [type] : [type, data]);
    }
    return this.#event;
  }

  get #parts(): OutgoingFrame {
    return this.#frame ?? StoredFrame.parse(JSON.parse(this.text));
  }
}
