import { type EncodedPacket, NOOP, PROBE_PING, PROBE_PONG, UPGRADE } from "../packets.ts";
import type { Polling } from "./polling.ts";
import { type Session, sendTo } from "./session.ts";
import { attach, type SessionSockets } from "./session-store.ts";

/** The status that tells the Worker that a session has its WebSocket already. */
export const UPGRADE_TAKEN = 409;

type Parts = {
  sockets: SessionSockets;
  polls: Polling;
  /** How long an upgrade may take, ms. */
  timeoutMs: number;
  completed: (session: Session) => void;
};

/** WebSockets that ask to take over from long-polling: `2probe`, `3probe`, and `5` once the client's polling has paused. */
export class Upgrades {
  readonly #parts: Parts;
  // In memory: after an eviction it is the alarm that ends a probe. A timer ends with its probe, so that the object can sleep.
  readonly #timers = new WeakMap<WebSocket, ReturnType<typeof setTimeout>>();

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  start(session: Session): Response {
    if (!session.isPolling || session.probe) return new Response(null, { status: UPGRADE_TAKEN });
    const { sockets, timeoutMs } = this.#parts;
    const { server, response } = sockets.accept();
    session.probe = { socket: server, since: Date.now(), probed: false };
    sockets.assign(server, "probe", session);
    save(session);
    this.#timers.set(
      server,
      setTimeout(() => this.end(session, server), timeoutMs),
    );
    return response;
  }

  take(session: Session, socket: WebSocket, frame: EncodedPacket): void {
    const { probe } = session;
    if (frame === PROBE_PING && probe) {
      sendTo(socket, PROBE_PONG);
      probe.probed = true;
      save(session);
      // The client pauses its polling, and waits for the answer to a GET that is under way.
      this.#parts.polls.answer(session, NOOP);
    } else if (frame === UPGRADE && probe?.probed) {
      this.#complete(session, socket);
    } else {
      this.end(session, socket);
    }
  }

  end(session: Session, socket: WebSocket): void {
    this.#stopTimer(socket);
    if (session.probe?.socket === socket) session.probe = null;
    this.#parts.sockets.dismiss(socket);
  }

  /** The backstop for a timer that an eviction took along. */
  endIfOverdue(session: Session, now: number): void {
    if (session.probe && now - session.probe.since >= this.#parts.timeoutMs) this.end(session, session.probe.socket);
  }

  #complete(session: Session, socket: WebSocket): void {
    const { sockets, polls, completed } = this.#parts;
    this.#stopTimer(socket);
    session.probe = null;
    session.hasSpoken = true;
    sockets.assign(socket, "transport", session);
    polls.refuse(session);
    session.flushTo(socket);
    session.transport = socket;
    completed(session);
  }

  #stopTimer(socket: WebSocket): void {
    const timer = this.#timers.get(socket);
    if (timer !== undefined) clearTimeout(timer);
  }
}

function save({ sid, probe }: Session): void {
  if (probe) attach(probe.socket, { role: "probe", sid, since: probe.since, probed: probe.probed });
}
