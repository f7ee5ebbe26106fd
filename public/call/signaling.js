/** The call's socket: every command says which session it is about. */
import { RoomSocket } from "/socket.js";

const WORDS = { 4003: "You may not take part in this call.", 4004: "There is no such call, or it has ended." };

export class Signaling extends RoomSocket {
  constructor(sessionId, listeners) {
    super(`/webrtc/sessions/${sessionId}/ws`, { words: WORDS, ...listeners });
    this.sessionId = sessionId;
  }

  ask(type, data = {}) {
    return super.ask(type, { sessionId: this.sessionId, ...data });
  }
}
