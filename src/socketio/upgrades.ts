import { type EngineSession, sendTo } from "./engine-session.ts";
import { type EnginePacket, NOOP, PROBE_PING, PROBE_PONG, UPGRADE } from "./packets.ts";
import type { Polling } from "./polling.ts";
import type { SessionSockets } from "./session-sockets.ts";
import { attach } from "./session-store.ts";

/** The status that tells the Worker that a session has its WebSocket already. */
export const UPGRADE_TAKEN = 409;

/** WebSockets that ask to take over from long-polling: `2probe`, `3probe`, and `5` once the client's polling has paused. */
export class Upgrades {
  // In memory: after an eviction it is the alarm that ends a probe. A timer ends with its probe, so that the object can sleep.
  private readonly timers = new WeakMap<WebSocket, ReturnType<typeof setTimeout>>();

  constructor(
    private readonly sockets: SessionSockets,
    private readonly polling: Polling,
    private readonly timeoutMs: number,
    private readonly completed: (session: EngineSession) => void,
  ) {}

  start(session: EngineSession): Response {
    if (!session.isPolling || session.probe) return new Response(null, { status: UPGRADE_TAKEN });
    const { server, response } = this.sockets.accept();
    session.probe = { socket: server, since: Date.now(), probed: false };
    this.sockets.assign(server, "probe", session);
    save(session);
    this.timers.set(
      server,
      setTimeout(() => this.end(session, server), this.timeoutMs),
    );
    return response;
  }

  take(session: EngineSession, socket: WebSocket, frame: EnginePacket): void {
    const { probe } = session;
    if (frame === PROBE_PING && probe) {
      sendTo(socket, PROBE_PONG);
      probe.probed = true;
      save(session);
      // The client pauses its polling, and waits for the answer to a GET that is under way.
      this.polling.answer(session, NOOP);
    } else if (frame === UPGRADE && probe?.probed) {
      this.complete(session, socket);
    } else {
      this.end(session, socket);
    }
  }

  end(session: EngineSession, socket: WebSocket): void {
    this.stopTimer(socket);
    if (session.probe?.socket === socket) session.probe = null;
    this.sockets.dismiss(socket);
  }

  /** The backstop for a timer that an eviction took along. */
  endIfOverdue(session: EngineSession, now: number): void {
    if (session.probe && now - session.probe.since >= this.timeoutMs) this.end(session, session.probe.socket);
  }

  private complete(session: EngineSession, socket: WebSocket): void {
    this.stopTimer(socket);
    session.probe = null;
    session.hasSpoken = true;
    this.sockets.assign(socket, "transport", session);
    this.polling.refuse(session);
    session.flushTo(socket);
    session.transport = socket;
    this.completed(session);
  }

  private stopTimer(socket: WebSocket): void {
    const timer = this.timers.get(socket);
    if (timer !== undefined) clearTimeout(timer);
  }
}

function save({ sid, probe }: EngineSession): void {
  if (probe) attach(probe.socket, { role: "probe", sid, since: probe.since, probed: probe.probed });
}
