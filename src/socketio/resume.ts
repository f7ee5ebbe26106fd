import { z } from "zod";
import type { Peers } from "./peers.ts";
import type { Claim, RecoveryPeer } from "./recovery.ts";
import type { KeptEvent } from "./replay.ts";

/** What a client of socket.io 4.6 or later adds to its `auth` when it comes back. */
const ResumeRequest = z.object({ pid: z.string().max(200), offset: z.string().max(100).optional() });

/** A lost socket that was found, and is kept for us until it is taken. */
export interface LostElsewhere {
  id: string;
  pid: string;
  state: unknown;
  offset: string | null;
  /**
   * To be called once the socket's messages go to its new place: all it missed until then, or null if the socket is
   * gone after all.
   */
  take(): Promise<KeptEvent[] | null>;
}

/** Finds the socket that a client wants to go on with; null if it asks for none, or there is none it may have. */
export async function findLost(
  peers: Peers,
  who: { namespace: string; principal: string; auth: unknown },
): Promise<LostElsewhere | null> {
  const asked = ResumeRequest.safeParse(who.auth);
  if (!asked.success) return null;
  const { pid, offset = null } = asked.data;
  const home = await peers.homeOf(pid);
  if (home === null) return null;
  const claim: Claim = { pid, offset, namespace: who.namespace, principal: who.principal };
  const found = await locate(peers, home, claim);
  if (!found) return null;
  const { id, state, holder } = found;
  return { id, pid, offset, state: JSON.parse(state), take: () => take(peers, { pid, offset, home, holder }) };
}

async function locate(peers: Peers, home: string, claim: Claim) {
  const first = await peers.at(home).locate(claim);
  if (first && "id" in first) return { ...first, holder: peers.at(home) };
  if (!first) return null;
  // The pid stays the same over several recoveries, so that its home points to where the socket last was.
  const holder = peers.at(first.movedTo);
  const second = await holder.locate(claim);
  return second && "id" in second ? { ...second, holder } : null;
}

interface Taking {
  pid: string;
  offset: string | null;
  home: string;
  holder: RecoveryPeer;
}

async function take(peers: Peers, { pid, offset, home, holder }: Taking): Promise<KeptEvent[] | null> {
  const missed = await holder.surrender(pid, offset);
  const isHome = home === peers.here;
  if (missed) await peers.at(home).moved(pid, isHome ? null : peers.here);
  return missed;
}
