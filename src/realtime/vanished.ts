/** Clients that vanished without a close: natively their heartbeat tells, in a gateway the gateway. */
import type { Budgets } from "./budget.ts";
import type { Heartbeat } from "./heartbeat.ts";
import type { RemoteMembers } from "./remote-members.ts";

type Parts = {
  heartbeat: Heartbeat;
  remote: RemoteMembers;
  budgets: Budgets;
  /** Hands over what is logged and not sent yet. */
  flush(): void;
};

export class Vanished {
  readonly #state: DurableObjectState;
  readonly #parts: Parts;

  constructor(state: DurableObjectState, parts: Parts) {
    this.#state = state;
    this.#parts = parts;
  }

  /** Puts some of them out, and asks gateways now and then. For every wake that has to do with presence. */
  prune(now: number): void {
    const { heartbeat, remote, budgets, flush } = this.#parts;
    heartbeat.prune(now);
    flush();
    this.#state.waitUntil(remote.verify(now));
    budgets.sweep(now);
  }

  /** Resolves when all of them are gone, for an answer that must be true now. */
  async verify(): Promise<void> {
    const now = Date.now();
    this.#parts.flush();
    await this.#parts.remote.verify(now);
    this.#parts.heartbeat.prune(now, Number.POSITIVE_INFINITY);
  }
}
