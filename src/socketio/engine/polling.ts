import { NOOP } from "../packets.ts";
import { type Session, sendTo } from "./session.ts";
import { attach, type SessionSockets } from "./session-store.ts";

/** How long a GET that meets an upgrade is held back: answering at once loses a race in the client. In milliseconds. */
const PROBED_POLL_MS = 50;

/** The close code that tells the waiting Worker that the session is gone, or its GET was one too many. */
export const POLL_REFUSED = 4400;

/** The GETs that wait for something to be sent. The Worker holds each, on a hibernating socket; see `long-poll.ts`. */
export class Polling {
  readonly #sockets: SessionSockets;

  constructor(sockets: SessionSockets) {
    this.#sockets = sockets;
  }

  /** Lets the Worker wait: its socket gets the payload as its one message. */
  park(session: Session): Response {
    const { server, response } = this.#sockets.accept();
    session.poll = server;
    this.#sockets.assign(server, "poll", session);
    attach(server, { role: "poll", sid: session.sid });
    if (session.probe?.probed) {
      setTimeout(() => session.poll === server && this.answer(session, NOOP), PROBED_POLL_MS);
    }
    return response;
  }

  /** Does nothing if no GET waits. */
  answer(session: Session, payload: string): void {
    if (!session.poll) return;
    sendTo(session.poll, payload);
    this.#sockets.dismiss(session.poll);
    session.poll = null;
  }

  refuse(session: Session): void {
    if (!session.poll) return;
    this.#sockets.dismiss(session.poll, POLL_REFUSED);
    session.poll = null;
  }
}

export function payloadResponse(payload: string): Response {
  return new Response(payload, { headers: { "Content-Type": "text/plain; charset=UTF-8" } });
}
