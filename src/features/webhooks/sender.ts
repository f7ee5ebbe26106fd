/**
 * Sends one endpoint its share of events: each is queued before its source forgets it, sent in the order of its subject, and
 * again until it was taken or given up. Asleep while nothing is due.
 */
import { DurableObject } from "cloudflare:workers";
import { type Ctx, objectContext } from "../../context.ts";
import { AppError } from "../../errors.ts";
import { logEvent, logFailure } from "../../platform/log.ts";
import { callObject, objectCaller } from "../../platform/objects.ts";
import { postOutside } from "../../platform/outside-call.ts";
import { Timers } from "../../realtime/timers.ts";
import { UserReferences } from "../../realtime/user-references.ts";
import { fold } from "../../text.ts";
import type { DeliveryState } from "./contract.ts";
import { type Endpoint, endpointIn, noteFailing, readEndpoint, sendersOf, switchOff } from "./endpoint.ts";
import { GIVEN_UP_AFTER_MS, nextTry } from "./retries.ts";
import { nextRound } from "./rounds.ts";
import { signedHeaders } from "./signing.ts";
import { type Queued, type QueuedEvent, SenderStore, type Waiting } from "./store.ts";

const TIMEOUT_MS = 10_000;
/** The platform opens six connections at once for an object. */
const CALLS_AT_ONCE = 4;
/** An endpoint that changed counts within this time. */
const KNOWN_FOR_MS = 30_000;
/** One alarm works for so long; the next goes on at once. */
const ROUNDS_MS = 60_000;
/** After a failure, what comes new does not wake the object at once: it would look through all that waits each time. */
const REST_MS = 5000;

type Outcome = { status: number | null; reason: string | null };

export class WebhookSender extends DurableObject<Env> {
  #store: SenderStore;
  readonly #timers: Timers;
  readonly #references: UserReferences;
  #known: { endpoint: Endpoint | null; at: number } | undefined;
  /** When to look what can go out, ms; null: not before something comes. After an eviction: when it is woken. */
  #nextAt: number | null;
  #restsUntil = 0;
  /** Subjects of which nothing new can go out before the alarm rings. */
  #held: ReadonlySet<string> = new Set();

  constructor(state: DurableObjectState, env: Env) {
    super(state, env);
    this.#store = new SenderStore(state.storage);
    this.#nextAt = this.#store.waiting > 0 ? 0 : null;
    this.#timers = new Timers(state.storage);
    this.#timers.add({ due: () => this.#nextAt, ring: () => this.#send() });
    void state.blockConcurrencyWhile(() => this.#timers.restore());
    this.#references = new UserReferences({
      state,
      timers: this.#timers,
      target: `sender:${this.#name}`,
      context: () => this.#context,
      anonymise: (userId) => this.anonymise(userId),
    });
  }

  get #name(): string {
    return this.ctx.id.name ?? "";
  }

  get #context(): Ctx {
    return objectContext(this.ctx, this.env);
  }

  // ── What the Worker and rooms ask ─────────────────────────────────────────────────────────────────────────────────

  /** RPC: takes events, each once. @throws AppError RATE_LIMIT too many wait already: their source keeps them */
  take(events: QueuedEvent[]): void {
    if (this.#store.isFull) throw new AppError("RATE_LIMIT", "Too many events wait for this endpoint.");
    const now = Date.now();
    this.#store.add(events, now);
    for (const userId of events.flatMap(({ people }) => people)) this.#references.record(userId, now);
    if (!events.every(({ subject }) => this.#held.has(subject))) this.#wake(Math.max(now, this.#restsUntil));
  }

  /** RPC: sends one event now, once, and answers what became of it; null: the endpoint is gone. */
  async trySending(event: QueuedEvent): Promise<Queued | null> {
    const now = Date.now();
    this.#store.add([event], now);
    const queued = this.#store.byEvent(event.id);
    const endpoint = await this.#endpoint(now, true);
    if (!queued || !endpoint) return null;
    const { status, reason } = await this.#call(endpoint, [queued]);
    if (reason === null) this.#store.delivered([queued], Date.now(), status ?? 0);
    else if (status === 410) await this.#gone([queued], { now: Date.now(), status, reason });
    else this.#store.failed([queued], { now: Date.now(), status, reason, dueAt: null });
    return this.#store.byEvent(event.id);
  }

  /** RPC: newest first; `before` is left out. `search`: a part of its id, type or subject, or of why it failed. */
  page(before: { at: number; n: number }, limit: number, state?: DeliveryState, search = ""): Queued[] {
    const text = fold(search);
    const isFound = (texts: string[]) => text === "" || texts.some((part) => fold(part).includes(text));
    return this.#store.page(before, limit, { state, isFound });
  }

  /** RPC: an event is sent again; null: there is none of this number. */
  redeliver(n: number): Queued | null {
    const now = Date.now();
    const queued = this.#store.requeue(n, now);
    if (!queued) return null;
    this.#known = undefined;
    this.#wake(now);
    return queued;
  }

  /** RPC: when the endpoint last took something from this object, ms. */
  lastSuccess(): number | null {
    return this.#store.lastSuccess();
  }

  /** RPC: this user was erased. Doing it again changes nothing. */
  anonymise(userId: number): void {
    this.#store.erase(userId);
    this.#references.forget(userId);
  }

  /** RPC: the endpoint was deleted. */
  async forget(): Promise<void> {
    await this.#references.withdraw();
    await this.ctx.blockConcurrencyWhile(async () => {
      await this.ctx.storage.deleteAll();
      this.#timers.forget();
      this.#nextAt = null;
      this.#store = new SenderStore(this.ctx.storage);
    });
  }

  // ── Sending ───────────────────────────────────────────────────────────────────────────────────────────────────────

  #wake(at: number): void {
    this.#nextAt = Math.min(at, this.#nextAt ?? at);
    this.#timers.arm(Date.now());
  }

  override alarm(): Promise<void> {
    return this.#timers.ring(Date.now());
  }

  async #send(): Promise<void> {
    this.#nextAt = null;
    const next = await this.#rounds().catch((error: unknown) => {
      // The database was not there, say. What waits is not lost by it.
      logFailure({ requestId: "" }, "webhook.round", error, { sender: this.#name });
      this.#restsUntil = Date.now() + KNOWN_FOR_MS;
      return this.#restsUntil;
    });
    if (next !== null) this.#wake(next);
  }

  /** Makes the calls that are due, for ROUNDS_MS at most. @returns when to go on, ms; null: nothing waits */
  async #rounds(): Promise<number | null> {
    const until = Date.now() + ROUNDS_MS;
    for (;;) {
      const next = await this.#round();
      this.#store.trim(Date.now());
      const now = Date.now();
      if (next === null || next > now || now >= until) return next;
    }
  }

  /** Makes some of the calls that are due. @returns when to go on, ms; null: nothing waits */
  async #round(): Promise<number | null> {
    const now = Date.now();
    this.#held = new Set();
    if (this.#store.waiting === 0) return null;
    const endpoint = await this.#endpoint(now);
    if (!endpoint) {
      await this.forget();
      return null;
    }
    if (!endpoint.isActive) {
      this.#store.parkAll(now, "The endpoint is switched off.");
      return null;
    }
    const { batchSize } = endpoint;
    const { calls, held, nextAt } = nextRound(this.#store.waitingEvents(), now, { most: CALLS_AT_ONCE, batchSize });
    this.#held = held;
    await Promise.all(calls.map((events) => this.#sendTo(endpoint, events)));
    return nextAt;
  }

  async #endpoint(now: number, isFresh = false): Promise<Endpoint | null> {
    if (isFresh || !this.#known || now - this.#known.at > KNOWN_FOR_MS) {
      this.#known = { endpoint: await readEndpoint(this.#context, endpointIn(this.#name)), at: now };
    }
    return this.#known.endpoint;
  }

  async #sendTo(endpoint: Endpoint, events: Waiting[]): Promise<void> {
    const [first] = events;
    if (!first) return;
    // Before it goes out: a crash must not make another call of it, under the same id.
    if (endpoint.batchSize > 1 && first.call === null) this.#store.batch(events, first.event_id);
    const { status, reason } = await this.#call(endpoint, events);
    const now = Date.now();
    if (reason === null) return this.#store.delivered(events, now, status ?? 0);
    if (status === 410) return this.#gone(events, { now, status, reason });
    this.#restsUntil = now + REST_MS;
    const since = first.failing_since ?? now;
    const dueAt = nextTry(first.attempts + 1, since, now);
    this.#store.failed(events, { now, status, reason, dueAt });
    if (dueAt === null && (await this.#hasOnlyFailed(now))) await this.#off("Nothing but failures for three days.");
  }

  async #call(endpoint: Endpoint, events: Waiting[]): Promise<Outcome> {
    const [first] = events;
    const isBatch = endpoint.batchSize > 1 || events.length > 1;
    const bodies = this.#store.bodiesOf(events).join(",");
    const body = isBatch ? `{"events":[${bodies}]}` : bodies;
    const id = first?.call ?? first?.event_id ?? "";
    const started = Date.now();
    const outcome = await this.#post(endpoint, id, body);
    const fields = { requestId: id, sender: this.#name, events: events.length, ms: Date.now() - started };
    logEvent("webhook.sent", { ...fields, status: outcome.status, reason: outcome.reason });
    await this.#note(endpoint, outcome.reason !== null);
    return outcome;
  }

  /** For operators. What was sent counts, whether or not this can be noted: it is noted at the next call then. */
  async #note(endpoint: Endpoint, isFailing: boolean): Promise<void> {
    if (endpoint.isFailing === isFailing) return;
    endpoint.isFailing = isFailing;
    await noteFailing(this.#context, endpointIn(this.#name), isFailing).catch((error: unknown) => {
      endpoint.isFailing = !isFailing;
      logFailure({ requestId: "" }, "webhook.note", error, { sender: this.#name });
    });
  }

  async #post({ url, secret }: Endpoint, id: string, body: string): Promise<Outcome> {
    try {
      const headers = signedHeaders(secret, id, new Date(), body);
      const { status } = await postOutside(this.#context.config, { url, body, headers, timeoutMs: TIMEOUT_MS });
      return { status, reason: status >= 200 && status < 300 ? null : `It answered ${status}.` };
    } catch (error) {
      return { status: null, reason: error instanceof Error ? error.message : String(error) };
    }
  }

  // ── Giving up ─────────────────────────────────────────────────────────────────────────────────────────────────────

  async #gone(events: Waiting[], failure: { now: number; status: number; reason: string }): Promise<void> {
    this.#store.failed(events, { ...failure, dueAt: null });
    await this.#off("The endpoint answered 410 Gone.");
  }

  async #off(why: string): Promise<void> {
    await switchOff(this.#context, endpointIn(this.#name), why);
    this.#known = undefined;
    this.#store.parkAll(Date.now(), why);
  }

  /** Whether the endpoint took nothing for as long as an event is tried, whatever object it came from. */
  async #hasOnlyFailed(now: number): Promise<boolean> {
    const others = sendersOf(endpointIn(this.#name)).filter((name) => name !== this.#name);
    const successes = await Promise.all(
      others.map((name) =>
        callObject(objectCaller(this.env), this.env.WEBHOOK_SENDER, name, (sender) => sender.lastSuccess()),
      ),
    );
    return [...successes, this.#store.lastSuccess()].every((at) => at === null || at < now - GIVEN_UP_AFTER_MS);
  }
}
