import type { Addresses } from "./addresses.ts";
import type { RecoveryPeer } from "./recovery.ts";

/** One gateway's view of the others: where a lost socket was, and how to ask there. */
export class Peers {
  constructor(
    /** The address of this gateway. */
    readonly here: string,
    private readonly addresses: Pick<Addresses<undefined>, "newPid" | "addressIn">,
    private readonly reach: (address: string) => RecoveryPeer,
  ) {}

  newPid(): Promise<string> {
    return this.addresses.newPid(this.here);
  }

  /** Null for a pid that was not made by us: asking there would wake, or create, an object of a stranger's choice. */
  homeOf(pid: string): Promise<string | null> {
    return this.addresses.addressIn("pid", pid);
  }

  at(address: string): RecoveryPeer {
    return this.reach(address);
  }
}
