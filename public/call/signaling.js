/** The call's socket: every command says which session it is about. */
import { PageSocket } from "/page-socket.js";

const WORDS = { 4003: "You may not take part in this call.", 4004: "There is no such call, or it has ended." };

export class Signaling extends PageSocket {
  constructor(sessionId, listeners) {
    super("/webrtc/sessions/{id}/ws", { params: { id: sessionId }, words: WORDS, ...listeners });
    this.sessionId = sessionId;
  }

  ask(type, data = {}) {
    return super.ask(type, { sessionId: this.sessionId, ...data });
  }
}
