import type { EngineSession } from "./engine-session.ts";
import { PING } from "./packets.ts";
import type { EngineSettings } from "./settings.ts";

type Timing = Pick<EngineSettings, "pingIntervalMs" | "pingTimeoutMs">;

/** Pings, or says false of a session that did not answer the last one. To be called once per ping interval. */
export function beat(session: EngineSession, now: number, timing: Timing): boolean {
  if (session.pingSentAt !== null) return now - session.pingSentAt < timing.pingTimeoutMs;
  session.send(PING);
  session.pingSentAt = now;
  session.changed();
  return true;
}

/**
 * Whether a session's time is over, alarm or not. Requests ask this, because the alarm comes only once per interval.
 */
export function isOverdue(session: EngineSession, now: number, timing: Timing): boolean {
  if (session.pingSentAt !== null && now - session.pingSentAt >= timing.pingTimeoutMs) return true;
  return now - session.heardAt >= timing.pingIntervalMs + timing.pingTimeoutMs;
}

export function heardPong(session: EngineSession, now: number): void {
  session.pingSentAt = null;
  session.heardAt = now;
  session.changed();
}
