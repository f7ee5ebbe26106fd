/** The parts that the base of a room is made of, each given those that it works with. */
import { objectContext } from "../context.ts";
import { readOrigin } from "../db/generation.ts";
import type { Delivery } from "../db/outbox.ts";
import { AppError, CLOSE } from "../errors.ts";
import { logEvent } from "../platform/log.ts";
import type { Version } from "../platform/version.ts";
import { Deliveries } from "./deliveries.ts";
import { Deploys } from "./deploys.ts";
import { Dispatcher } from "./dispatcher.ts";
import { Lifecycle } from "./lifecycle.ts";
import { Origin } from "./origin.ts";
import type { RoomHooks } from "./room-hooks.ts";
import { SendQueue } from "./send-queue.ts";

/** Without it, clients would see 1006 in the place of 1012. */
const CLOSE_MS = 100;

export class RoomParts {
  readonly sendQueue: SendQueue;
  readonly lifecycle: Lifecycle;
  readonly dispatcher: Dispatcher;
  readonly deliveries: Deliveries;
  readonly origin: Origin;
  readonly #hooks: RoomHooks;
  readonly #deploys: Deploys;

  /** @param apply takes one delivery of the outbox */
  constructor(hooks: RoomHooks, apply: (delivery: Delivery) => void | Promise<void>) {
    const { state, env } = hooks;
    this.#hooks = hooks;
    this.#deploys = new Deploys(state, env, { lastWordsMs: CLOSE_MS });
    this.sendQueue = new SendQueue({
      runInbox: () => this.dispatcher.runInbox(),
      checkReader: (connection) => this.lifecycle.checkReader(connection),
      replaying: () => this.lifecycle.replaying,
    });
    this.lifecycle = new Lifecycle(hooks, this.sendQueue);
    this.dispatcher = new Dispatcher(hooks, this.lifecycle, this.sendQueue);
    this.deliveries = new Deliveries(state.storage.sql, {
      logged: () => hooks.log().lastDelivery ?? 0,
      apply,
    });
    this.origin = new Origin({
      state,
      read: () => readOrigin(objectContext(state, env), hooks.numberedIn(), Number(state.id.name)),
      isNumbered: () => hooks.numberedIn() !== null,
      startOver: (isSameRow) => this.#startOver(isSameRow),
    });
  }

  /**
   * A client arrives from a Worker of this version.
   * @throws AppError UNAVAILABLE a newer one is out, and this object begins anew: the client has to come again
   */
  requireCurrent(version: Version | undefined): void {
    if (!this.#deploys.admits(version, () => this.lifecycle.handOver())) throw new AppError("UNAVAILABLE");
  }

  /** Whoever is here was let in by a database that is no more: they come back, and are asked again. */
  #startOver(isSameRow: boolean): void {
    const { state, kind, startOver } = this.#hooks;
    logEvent("object.startOver", { level: "warn", kind: kind(), object: state.id.name, isSameRow });
    for (const connection of [...this.lifecycle.connections.values()]) {
      this.lifecycle.close(connection, CLOSE.restart, "UNAVAILABLE");
    }
    this.deliveries.forget();
    startOver(isSameRow);
  }
}
