import type { EngineSession } from "./engine-session.ts";
import { type Attachment, attach } from "./session-store.ts";

/** What one of a session's hibernating sockets is for. */
export interface Role {
  kind: Attachment["role"];
  session: EngineSession;
}

/** The hibernating WebSockets of one object, and what each is for. */
export class SessionSockets {
  private readonly roles = new WeakMap<WebSocket, Role>();

  constructor(private readonly ctx: DurableObjectState) {}

  accept(): { server: WebSocket; response: Response } {
    const { 0: client, 1: server } = new WebSocketPair();
    this.ctx.acceptWebSocket(server);
    return { server, response: new Response(null, { status: 101, webSocket: client }) };
  }

  assign(socket: WebSocket, kind: Role["kind"], session: EngineSession): void {
    this.roles.set(socket, { kind, session });
  }

  /** Undefined for a socket that was dismissed, and whose last events still come in. */
  roleOf(socket: WebSocket): Role | undefined {
    return this.roles.get(socket);
  }

  dismiss(socket: WebSocket, code = 1000): void {
    this.roles.delete(socket);
    attach(socket, null);
    try {
      socket.close(code);
    } catch {
      // Already closed from the other side.
    }
  }
}
