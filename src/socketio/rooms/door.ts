/**
 * What a client does that reaches no room, which would count it: joining, a new token, events that cannot be read or are for
 * a room that it is not in, acknowledgements that nobody asked for. Counted here, per user and gateway (SPEC 11).
 */
import { recordHammering } from "../../auth/rate-limit.ts";
import type { Ctx } from "../../context.ts";
import { AppError } from "../../errors.ts";
import { Budgets, type Limits } from "../../realtime/budget.ts";
import type { MemberSocket } from "./member.ts";

const SWEEP_EVERY_MS = 60_000;

export class Door {
  readonly #budgets: Budgets;
  /** Of new connections: with no message left, a page that is opened again is let in, and told why it may not write. */
  readonly #entries: Budgets;
  /** Users who left the namespace though their connection went on. They come back at the price of a message. */
  readonly #leavers = new Set<number>();
  readonly #contextFor: (address: string) => Ctx;
  #sweptAt = 0;

  constructor(limits: Limits, contextFor: (address: string) => Ctx) {
    this.#budgets = new Budgets(limits);
    this.#entries = new Budgets(limits);
    this.#contextFor = contextFor;
  }

  /** Counts somebody who comes in, as often in a minute as they may send. @throws AppError RATE_LIMIT */
  enter(userId: number): void {
    const now = Date.now();
    this.#sweep(now);
    if (this.#leavers.has(userId)) return this.#budgets.require(userId, "messages", now);
    this.#entries.require(userId, "messages", now);
    this.#budgets.spend(userId, "messages", now);
  }

  left(userId: number): void {
    this.#leavers.add(userId);
  }

  /** Counts one. Who keeps on hammering is put out. @throws AppError RATE_LIMIT */
  count(socket: MemberSocket): void {
    const now = Date.now();
    const { person, address, spent } = socket.state;
    this.#sweep(now);
    this.#budgets.restore(person.userId, spent);
    const over = this.#budgets.spend(person.userId, "messages", now);
    socket.state = { ...socket.state, spent: { ...this.#budgets.of(person.userId) } };
    if (over === 0) return;
    if (this.#budgets.isHammering(over, "messages")) {
      const ctx = this.#contextFor(address);
      ctx.later(recordHammering(ctx));
      socket.disconnect(true);
    }
    throw this.#budgets.refusal(person.userId, "messages", now);
  }

  /** What to answer to something that goes no further: what is wrong with it, or that there was too much of it. */
  refusal(socket: MemberSocket, error: AppError): AppError {
    try {
      this.count(socket);
      return error;
    } catch (thrown) {
      if (thrown instanceof AppError) return thrown;
      throw thrown;
    }
  }

  #sweep(now: number): void {
    if (now - this.#sweptAt < SWEEP_EVERY_MS) return;
    this.#sweptAt = now;
    this.#budgets.sweep(now);
    this.#entries.sweep(now);
    this.#leavers.clear();
  }
}
