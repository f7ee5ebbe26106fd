import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { addressesFor } from "../../../src/socketio/engine/addresses.ts";
import type { ShardGateway, SingleGateway } from "../worker.ts";
import type { LabRoom } from "./room.ts";

declare global {
  namespace Cloudflare {
    interface Env {
      SHARDS: DurableObjectNamespace<ShardGateway>;
      SINGLES: DurableObjectNamespace<SingleGateway>;
      LAB_ROOMS: DurableObjectNamespace<LabRoom>;
    }
  }
}

/** The object behind a session of one path, to look into and to throw out of memory. */
export class GatewayProbe {
  private readonly stub: DurableObjectStub<ShardGateway | SingleGateway>;

  constructor(path: string, sid: string) {
    this.stub =
      path === "/single/"
        ? addressesFor(env.SINGLES, { kind: "per-session" }, "").stub(sid)
        : addressesFor(env.SHARDS, { kind: "shards", perRegion: 1 }, "").stub(sid.split(".")[0] ?? "");
  }

  evict(): Promise<void> {
    return evictDurableObject(this.stub);
  }

  runAlarm(): Promise<boolean> {
    return runDurableObjectAlarm(this.stub);
  }

  rowKeys(): Promise<string[]> {
    return runInDurableObject(this.stub, async (_gateway, state) => [...(await state.storage.list()).keys()]);
  }

  alarm(): Promise<number | null> {
    return runInDurableObject(this.stub, (_gateway, state) => state.storage.getAlarm());
  }

  deliver(socketIds: string[], events: string[]): Promise<string[]> {
    return Promise.resolve(this.stub.deliverBatches([{ socketIds, events, at: null }]));
  }
}

export function room(name: string): DurableObjectStub<LabRoom> {
  return env.LAB_ROOMS.getByName(name);
}
