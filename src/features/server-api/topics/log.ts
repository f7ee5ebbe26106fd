/** What was published under a topic and is kept. Nothing of it is stored before the first. */
import type { EncodedFrame } from "../../../realtime/encoded-frame.ts";
import {
  FRAME_LOG_SCHEMA,
  FRAME_PEOPLE_SCHEMA,
  FrameLog,
  type ReplayLog,
  type ReplayPage,
} from "../../../realtime/log.ts";
import { hasTable, type MigrationStep, migrate } from "../../../realtime/migrations.ts";

/** As long as a user's own frames are (SPEC 2). */
const RETENTION = { least: 1000, days: 7, most: 10_000 };
/** How long a product's own name for a publication counts; it is the Worker that asks it. */
const NAMED_MS = 2 * 86_400_000;

const SCHEMA: readonly MigrationStep[] = [
  `${FRAME_LOG_SCHEMA} ${FRAME_PEOPLE_SCHEMA}
   CREATE TABLE publications (id TEXT PRIMARY KEY, seq INTEGER NOT NULL, at INTEGER NOT NULL) WITHOUT ROWID;`,
];

type Published = { type: string; data: unknown };

export class TopicLog implements ReplayLog {
  readonly #storage: DurableObjectStorage;
  readonly #topic: string;
  #log: FrameLog | null;

  constructor(storage: DurableObjectStorage, topic: string) {
    this.#storage = storage;
    this.#topic = topic;
    this.#log = hasTable(storage.sql, "schema_version") ? this.#open() : null;
  }

  #open(): FrameLog {
    migrate(this.#storage, { steps: SCHEMA });
    return new FrameLog(this.#storage.sql, RETENTION);
  }

  /** Whether anything was ever kept. */
  get isThere(): boolean {
    return this.#log !== null;
  }

  get head(): number {
    return this.#log?.head ?? 0;
  }

  /** Empty before the first publication that is kept. */
  get epoch(): string {
    return this.#log?.epoch ?? "";
  }

  canResume(seq: number, epoch: string | undefined): boolean {
    const known = epoch === "" ? undefined : epoch;
    return this.#log ? this.#log.canResume(seq, known) : seq === 0 && known === undefined;
  }

  page(seq: number, bytes: number): ReplayPage | null {
    return this.#log ? this.#log.page(seq, bytes) : { frames: [], to: 0 };
  }

  /** Where the publication of this id stands; undefined: it is new. */
  seqOf(id: string): number | undefined {
    if (!this.#log) return undefined;
    const [row] = this.#storage.sql.exec<{ seq: number }>("SELECT seq FROM publications WHERE id = ?", id).toArray();
    return row?.seq;
  }

  /** Keeps it: a row, and one more for its id. @returns the frame for the topic's own sockets, encoded */
  append({ type, data }: Published, at: number, id: string | undefined): EncodedFrame {
    this.#log ??= this.#open();
    const { head, epoch } = this.#log;
    const frame = { type, topic: this.#topic, data, topicSeq: head + 1, topicEpoch: epoch };
    const encoded = this.#log.append(frame, { at });
    if (id !== undefined) this.#recordId(id, at);
    return encoded;
  }

  #recordId(id: string, at: number): void {
    const { sql } = this.#storage;
    sql.exec("DELETE FROM publications WHERE at < ?", at - NAMED_MS);
    sql.exec("INSERT INTO publications (id, seq, at) VALUES (?, ?, ?)", id, this.head, at);
  }
}
