/**
 * Whom a gateway's storage names: in events that it keeps for clients that lost their connection. Whoever is erased is
 * forgotten there as everywhere (db/user-references.ts), though it would be some minutes at most.
 */
import { objectContext } from "../../context.ts";
import { logFailure } from "../../platform/log.ts";
import { migrate } from "../../realtime/migrations.ts";
import { peopleIn } from "../../realtime/people.ts";
import type { Timers } from "../../realtime/timers.ts";
import { USER_REFERENCES_SCHEMA, UserReferences } from "../../realtime/user-references.ts";
import type { EncodedEvent } from "../packets.ts";
import type { KeptEvent } from "../replay.ts";

type Host = {
  state: DurableObjectState;
  env: Env;
  timers: Timers;
  address: string;
  /** This user was erased before the database knew that they are named here. */
  forget(userId: number): Promise<void>;
};

export class KeptPeople {
  readonly #references: UserReferences;
  readonly #recorded = new Set<EncodedEvent>();
  #forgetting: Promise<void> = Promise.resolve();

  constructor({ state, env, timers, address, forget }: Host) {
    migrate(state.storage, { steps: [USER_REFERENCES_SCHEMA] });
    this.#references = new UserReferences({
      state,
      timers,
      target: `gateway:${address}`,
      context: () => objectContext(state, env),
      anonymise: (userId) => {
        this.#forgetting = this.#forgetting
          .then(() => forget(userId))
          .catch((error) => logFailure({ requestId: "" }, "socketio.forget", error, { userId }));
        state.waitUntil(this.#forgetting);
      },
    });
  }

  record(events: readonly KeptEvent[]): void {
    const now = Date.now();
    for (const { event } of events) {
      if (this.#recorded.has(event)) continue;
      // All clients of a gateway may be lost at once, and most were sent the same.
      if (this.#recorded.size === 0) queueMicrotask(() => this.#recorded.clear());
      this.#recorded.add(event);
      for (const userId of peopleInEvent(event)) this.#references.record(userId, now);
    }
  }

  forget(userId: number): void {
    this.#references.forget(userId);
  }

  /** Resolves once the database has been asked about everybody who is named here, and who was erased is forgotten. */
  async settle(): Promise<void> {
    await this.#references.settle();
    await this.#forgetting;
  }
}

let isOurs: (event: string) => boolean = () => true;

/** Says which events are the service's own: others name whom they want. Called once, by src/wiring.ts. */
export function knowOwnEventsBy(knows: (event: string) => boolean): void {
  isOurs = knows;
}

/** The users that an event names, each once. */
export function peopleInEvent(event: EncodedEvent): number[] {
  const { json, people = [] } = typeof event === "string" ? { json: event } : event;
  const [name, data]: unknown[] = JSON.parse(json);
  return [...new Set([...people, ...(isOurs(String(name)) ? peopleIn(data) : [])])];
}
