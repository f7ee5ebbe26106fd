import { z } from "zod";
import type { Membership } from "./application.ts";
import type { Addresses } from "./engine/addresses.ts";
import type { Claim } from "./lost-sockets.ts";
import type { KeptEvent } from "./replay.ts";

/** What a gateway answers to a claim: the socket is here, or it once moved on. `state` is JSON. */
export type Located = { id: string; state: string } | { movedTo: string };

/** A socket that is given away: all events after the offset that its client has, and its position in the logs. */
export type Surrendered = { missed: KeptEvent[]; positions: Record<string, Membership> };

/** What the gateways ask of each other, by RPC. */
export interface RecoveryPeer {
  /** Finds a lost socket, and keeps it for the one who asked. Null: nothing to go on with. */
  locate(claim: Claim): Promise<Located | null>;
  /** Gives the socket away, once all that was on its way to it has come. Null: it is gone, or an event is. */
  surrender(pid: string, offset: string | null): Promise<Surrendered | null>;
  /** Tells a pid's home where the socket is now; null: it is gone for good. */
  moved(pid: string, to: string | null): Promise<void>;
}

/** What a client of socket.io 4.6 or later adds to its `auth` when it comes back. */
export const ResumeRequest = z.object({ pid: z.string().max(200), offset: z.string().max(100).optional() });

/** A lost socket that another gateway has, and keeps for us until it is taken. */
export type LostElsewhere = { id: string; state: string; at: RecoveryPeer };

/** One gateway's view of the others: where a lost socket was, and how to ask there. */
export class Peers {
  /** The address of this gateway. */
  readonly here: string;
  readonly #addresses: Pick<Addresses<undefined>, "newPid" | "addressIn">;
  readonly #reach: (address: string) => RecoveryPeer;

  constructor(
    here: string,
    addresses: Pick<Addresses<undefined>, "newPid" | "addressIn">,
    reach: (address: string) => RecoveryPeer,
  ) {
    this.here = here;
    this.#addresses = addresses;
    this.#reach = reach;
  }

  newPid(): Promise<string> {
    return this.#addresses.newPid(this.here);
  }

  /** Null for a pid that was not made by us: asking there would wake, or create, an object of a stranger's choice. */
  #homeOf(pid: string): Promise<string | null> {
    return this.#addresses.addressIn("pid", pid);
  }

  /** Tells a pid's home that its socket is here now. */
  async arrived(pid: string): Promise<void> {
    const home = await this.#homeOf(pid);
    if (home !== null) await this.#reach(home).moved(pid, home === this.here ? null : this.here);
  }

  /** Tells a pid's home that its socket is gone for good. */
  async gone(pid: string): Promise<void> {
    const home = await this.#homeOf(pid);
    if (home !== null && home !== this.here) await this.#reach(home).moved(pid, null);
  }

  /** The gateway of a lost socket; "here" if it is in this gateway. Null: there is none that this client may have. */
  async locate(claim: Claim): Promise<LostElsewhere | "here" | null> {
    const home = await this.#homeOf(claim.pid);
    if (home === null) return null;
    const first = await this.#reach(home).locate(claim);
    if (!first) return null;
    if ("id" in first) return home === this.here ? "here" : { ...first, at: this.#reach(home) };
    // The pid stays the same over several recoveries, so that its home points to where the socket last was.
    if (first.movedTo === this.here) return (await this.#reach(this.here).locate(claim)) ? "here" : null;
    const at = this.#reach(first.movedTo);
    const second = await at.locate(claim);
    return second && "id" in second ? { ...second, at } : null;
  }
}
