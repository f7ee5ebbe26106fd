import { DurableObject } from "cloudflare:workers";
import { addressesFor } from "../../../src/socketio/engine/addresses.ts";
import type { SocketGateway } from "../../../src/socketio/gateway.ts";
import { type EncodedEvent, encodeEvent } from "../../../src/socketio/packets.ts";
import type { LabEnv } from "../worker.ts";

/** A room as an application would have it: it encodes an event once, and forgets members whom a gateway does not know. */
export class LabRoom extends DurableObject<LabEnv> {
  /** A socket's id → its gateway. Joining again under the same id replaces the gateway. */
  private members(): Map<string, string> {
    return new Map(this.ctx.storage.kv.list<string>());
  }

  join(socketId: string, gateway: string): void {
    this.ctx.storage.kv.put(socketId, gateway);
  }

  leave(socketId: string): void {
    this.ctx.storage.kv.delete(socketId);
  }

  memberIds(): string[] {
    return [...this.members().keys()];
  }

  async say(text: string): Promise<void> {
    await this.tell([encodeEvent("said", text)]);
  }

  async show(bytes: ArrayBuffer): Promise<void> {
    await this.tell([encodeEvent("shown", bytes)]);
  }

  private async tell(events: EncodedEvent[]): Promise<void> {
    const byGateway = Map.groupBy(this.members(), ([, gateway]) => gateway);
    for (const [gateway, members] of byGateway) {
      const socketIds = members.map(([id]) => id);
      const gone = await this.gatewayAt(gateway).deliverBatches([{ socketIds, events, at: null }]);
      for (const id of gone) this.leave(id);
    }
  }

  private gatewayAt(address: string): DurableObjectStub<SocketGateway> {
    const { SHARDS, SINGLES } = this.env;
    return address.includes("-") && address.length < 12
      ? addressesFor<SocketGateway>(SHARDS, { kind: "shards", perRegion: 1 }, "").stub(address)
      : addressesFor<SocketGateway>(SINGLES, { kind: "per-session" }, "").stub(address);
  }
}
