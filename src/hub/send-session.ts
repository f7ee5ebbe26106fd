/** Given to the Worker for the length of one send: what it calls on this is not billed as calls of the hub again. */
import { RpcTarget } from "cloudflare:workers";
import type { Delivery } from "../db/outbox.ts";
import type { FailedDelivery } from "../db/outbox-parked.ts";

type Hub = { deliver(deliveries: Delivery[]): Promise<FailedDelivery[]> };

export class SendSession extends RpcTarget {
  readonly #hub: Hub;
  readonly #refusedSeconds: number;

  constructor(hub: Hub, refusedSeconds: number) {
    super();
    this.#hub = hub;
    this.#refusedSeconds = refusedSeconds;
  }

  /** 0, or how long to wait: over the limit. */
  get refusedSeconds(): number {
    return this.#refusedSeconds;
  }

  deliver(deliveries: Delivery[]): Promise<FailedDelivery[]> {
    return this.#hub.deliver(deliveries);
  }
}
