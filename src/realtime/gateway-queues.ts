/**
 * What an object's members at gateways are sent: to each gateway one call at a time, in order. A gateway that is reset in the
 * middle (by a deploy, say) is called again, with what it may have had: it drops what of the log it knows.
 */
import { isReset, isRetryable } from "../errors.ts";
import { logFailure } from "../platform/log.ts";
import type { ConnectionState } from "./connection-state.ts";
import { type FanOutGroup, type Membership, type Outgoing, toFanOutGroups } from "./fan-out.ts";
import { callGateway } from "./gateways.ts";
import type { Timer, Timers } from "./timers.ts";
import type { FrameBatch, Transport } from "./transport.ts";

/** Made at once, one after the other. A stub is broken by a failure, so each has its own. */
const ATTEMPTS = 3;
/**
 * Then the alarm makes them, after this time, and after twice as long each time; six rounds take 6.3 s in all. What waits is
 * only in memory: the waits are shorter than the 10 s after which an idle object sleeps.
 */
const FIRST_ROUND_MS = 100;
const ROUNDS = 6;
/** With more than this waiting, members are better off with what the log has, read anew. */
const MOST_WAITING = 50_000;

/** A member of ours, and the gateway that holds it. */
export type Held = Membership & { gateway: string };

/** What waits to go to one gateway, who waits until it is there, and what became of it so far. */
type Port = {
  waiting: Outgoing[];
  drained: (() => void)[];
  isBusy: boolean;
  rounds: number;
  /** When it is tried again, ms. */
  retryAt: number | null;
};

type Host = {
  state: DurableObjectState;
  env: Env;
  timers: Timers;
  /** This object: see `objectKey`. */
  object(): string;
  /** Where the log stands now. */
  position(): { epoch: string };
  /** Their gateway does not know these any more. */
  gone(gateway: string, members: Membership[]): void;
  /** These may have missed something, and will not be sent it. */
  givenUp(gateway: string, members: Membership[]): void;
};

export class GatewayQueues implements Timer {
  readonly #host: Host;
  readonly #ports = new Map<string, Port>();

  constructor(host: Host) {
    this.#host = host;
    host.timers.add(this);
  }

  /** Goes out with whatever else is sent before the next microtask. */
  push({ gateway, socketId, join }: Held, batch: FrameBatch): void {
    const port = this.#ports.get(gateway) ?? newPort();
    this.#ports.set(gateway, port);
    // The log may begin anew while it waits.
    port.waiting.push({ member: { socketId, join }, batch, epoch: this.#host.position().epoch });
    this.#wake(gateway, port);
  }

  /** Whether a gateway has all that it was sent, or was given up. */
  isIdle(gateway: string): boolean {
    return !this.#ports.has(gateway);
  }

  /** Resolves when a gateway has what it was sent until now, or is given up. */
  drained(gateway: string): Promise<void> {
    const port = this.#ports.get(gateway);
    return port ? new Promise((resolve) => port.drained.push(resolve)) : Promise.resolve();
  }

  /** The same of all gateways. */
  async allDrained(): Promise<void> {
    await Promise.all(Array.from(this.#ports.keys(), (gateway) => this.drained(gateway)));
  }

  due(): number | null {
    let next: number | null = null;
    for (const { retryAt } of this.#ports.values()) {
      if (retryAt !== null && (next === null || retryAt < next)) next = retryAt;
    }
    return next;
  }

  ring(now: number): void {
    for (const [gateway, port] of this.#ports) {
      if (port.retryAt === null || port.retryAt > now) continue;
      port.retryAt = null;
      this.#wake(gateway, port);
    }
  }

  #wake(gateway: string, port: Port): void {
    if (port.isBusy || port.retryAt !== null) return;
    port.isBusy = true;
    this.#host.state.waitUntil(this.#drain(gateway, port));
  }

  /** What comes meanwhile goes with the next call. */
  async #drain(gateway: string, port: Port): Promise<void> {
    // What is sent before the next microtask goes with the first call.
    await Promise.resolve();
    while (port.retryAt === null && (port.waiting.length > 0 || port.drained.length > 0)) {
      const sent = port.waiting;
      const drained = port.drained;
      port.waiting = [];
      port.drained = [];
      const isOver = sent.length === 0 || (await this.#send(gateway, port, sent));
      if (isOver) for (const resolve of drained) resolve();
      else {
        port.waiting = [...sent, ...port.waiting];
        port.drained = [...drained, ...port.drained];
      }
    }
    port.isBusy = false;
    if (port.retryAt === null) this.#ports.delete(gateway);
    else this.#host.timers.arm(Date.now());
  }

  /** @returns false: it is tried again */
  async #send(gateway: string, port: Port, sent: Outgoing[]): Promise<boolean> {
    const members = membersOf(sent);
    try {
      const groups = toFanOutGroups(sent, this.#host.object());
      const gone = new Set(await deliverTo(this.#host.env, gateway, groups));
      port.rounds = 0;
      this.#host.gone(
        gateway,
        members.filter(({ socketId }) => gone.has(socketId)),
      );
    } catch (error) {
      logFailure({ requestId: "" }, "remote.deliver", error, { gateway, rounds: port.rounds });
      if (mayPass(error) && port.rounds < ROUNDS && sent.length <= MOST_WAITING) {
        port.retryAt = Date.now() + FIRST_ROUND_MS * 2 ** port.rounds;
        port.rounds += 1;
        return false;
      }
      port.rounds = 0;
      this.#host.givenUp(gateway, members);
    }
    return true;
  }
}

/** What becomes of a connection besides what it is sent. */
type Keeper = {
  save(state: ConnectionState, gateway: string): void;
  closed(held: Held, code: number, reason: string): void;
};

/** A connection that its gateway watches over: heartbeats and closes are told from there. */
export class RemoteTransport implements Transport {
  readonly kind = "gateway";
  readonly #queues: GatewayQueues;
  readonly #held: Held;
  readonly #keeper: Keeper;
  #saved = "";

  constructor(queues: GatewayQueues, held: Held, keeper: Keeper) {
    this.#queues = queues;
    this.#held = held;
    this.#keeper = keeper;
  }

  send(batch: FrameBatch): void {
    this.#queues.push(this.#held, batch);
  }

  close(code: number, reason: string): void {
    this.#keeper.closed(this.#held, code, reason);
  }

  /** A row, so only when something changed that must survive: not for every frame that is counted. */
  save(state: ConnectionState): void {
    const { spent: _spent, lastSeenAt: _lastSeenAt, ...lasting } = state;
    const text = JSON.stringify(lasting);
    if (text === this.#saved) return;
    this.#saved = text;
    this.#keeper.save(state, this.#held.gateway);
  }

  lastBeatAt(): number {
    return Number.MAX_SAFE_INTEGER;
  }
}

/**
 * Calls a gateway, a few times at once if that may help.
 * @returns the ids that it does not know
 */
export async function deliverTo(env: Env, gateway: string, groups: FanOutGroup[]): Promise<string[]> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await callGateway(env, gateway, (stub) => stub.deliverBatches(groups));
    } catch (error) {
      if (attempt >= ATTEMPTS || !mayPass(error)) throw error;
    }
  }
}

/** An object that sheds load is not called again: that only adds to it. Nor one that does not answer: it may be at it. */
const mayPass = (error: unknown): boolean => isRetryable(error) || isReset(error);

const newPort = (): Port => ({ waiting: [], drained: [], isBusy: false, rounds: 0, retryAt: null });

/** Each once. */
const membersOf = (sent: Outgoing[]): Membership[] => [
  ...new Map(sent.map(({ member }) => [member.join, member])).values(),
];
