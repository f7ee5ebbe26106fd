/** The object that holds Socket.IO clients, those of a region spread over a few. */
import { config } from "../../config.ts";
import type { CallContext } from "../../db/call-context.ts";
import type { Delivery } from "../../db/outbox.ts";
import { Anonymise } from "../../db/user-references.ts";
import { CLOSE } from "../../errors.ts";
import { FRAME_MAX_BYTES } from "../../limits.ts";
import { logFailure } from "../../platform/log.ts";
import { callOnce } from "../../platform/objects.ts";
import type { Version } from "../../platform/version.ts";
import { Deploys } from "../../realtime/deploys.ts";
import { type Addresses, addressesFor } from "../engine/addresses.ts";
import { SocketGateway } from "../gateway.ts";
import { defaultSettings, type SocketSettings } from "../settings.ts";
import type { Keeper } from "../sockets.ts";
import { RoomcastApplication } from "./application.ts";
import { KeptPeople, peopleInEvent } from "./kept-people.ts";

export const settings: SocketSettings = {
  ...defaultSettings,
  // Ten of the largest events that any room takes fit in one POST; a client splits what is more.
  maxPayload: 10 * FRAME_MAX_BYTES,
  maxPacket: FRAME_MAX_BYTES,
};

const known = new WeakMap<object, Addresses<SocketIoGateway>>();

/** Where the gateways are; the same in the Worker, in rooms and in gateways. */
export function gatewaysOf(env: Env): Addresses<SocketIoGateway> {
  const found = known.get(env);
  if (found) return found;
  const fresh = addressesFor(env.SOCKET_GATEWAY, settings.density, config(env).JWT_SECRET_KEY);
  known.set(env, fresh);
  return fresh;
}

/** The outbox's way to a gateway: somebody was erased. */
export async function deliverToGateway(ctx: CallContext, address: string, deliveries: Delivery[]): Promise<void> {
  for (const { payload } of deliveries) {
    const { userId } = Anonymise.parse(payload);
    await callOnce(ctx, () => gatewaysOf(ctx.env).stub(address).forgetUser(userId));
  }
}

export class SocketIoGateway extends SocketGateway<Env> {
  readonly #deploys: Deploys;
  readonly #people: KeptPeople;

  constructor(ctx: DurableObjectState, env: Env) {
    const application = new RoomcastApplication(ctx, env);
    const report = (error: unknown, during: string) =>
      logFailure({ requestId: "" }, "socketio.layer", error, { during });
    const addresses = gatewaysOf(env);
    const keeper: Keeper = {
      kept: (events) => this.#people.record(events),
      settle: () => this.#people.settle(),
    };
    super(ctx, env, { settings, application, addresses, report, keeper });
    this.#people = new KeptPeople({
      state: ctx,
      env,
      timers: this.sessions.timers,
      address: addresses.addressOf(ctx.id),
      forget: (userId) => this.forgetUser(userId),
    });
    // To these clients a connection breaks off, whatever the code; and what rooms send meanwhile must not fail.
    this.#deploys = new Deploys(ctx, env, { lastWordsMs: 0 });
  }

  /** RPC: this user was erased: nobody is told any more what they said. Clients that would have been begin anew. */
  async forgetUser(userId: number): Promise<void> {
    await this.forgetKept((event) => peopleInEvent(event).includes(userId));
    this.#people.forget(userId);
  }

  /** Sessions are kept, with all that their clients may have missed. */
  protected override admits(version?: Version): boolean {
    return this.#deploys.admits(version, () => this.sessions.closeAll("transport error", CLOSE.restart));
  }
}
