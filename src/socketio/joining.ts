import type { Packet } from "socket.io-parser";
import { type Admission, type Application, type Arrival, Refusal } from "./application.ts";
import type { Connection } from "./connection.ts";
import type { Report } from "./engine-layer.ts";
import { randomId } from "./ids.ts";
import type { Peers } from "./peers.ts";
import { findLost, type LostElsewhere } from "./resume.ts";
import { type Socket, SocketRecord } from "./socket.ts";
import type { Work } from "./work.ts";

/** What `Joining` needs from the layer that keeps the sockets. */
export interface JoiningHost {
  readonly recovers: boolean;
  /** A new socket of a connection. `held`: what is sent to it waits until it is released. */
  add(connection: Connection, record: SocketRecord, options?: { held: boolean }): Socket;
  /** The socket takes the place of the lost one of the same id. */
  replace(socket: Socket): void;
  arrived(socket: Socket, arrival: Arrival): Work;
  abandon(socket: Socket): Work;
}

/** Lets clients into namespaces: anew, or as the socket that they lost. */
export class Joining {
  constructor(
    private readonly application: Application,
    private readonly peers: Peers,
    private readonly host: JoiningHost,
    private readonly report: Report,
  ) {}

  async join(connection: Connection, namespace: string, { data }: Packet): Promise<void> {
    connection.joining.add(namespace);
    try {
      const auth: Record<string, unknown> = { ...data };
      const admission = await this.admit(connection, namespace, auth);
      if (!admission || connection.isOver) return;
      const { principal } = admission;
      const lost = this.host.recovers ? await this.findLost({ namespace, auth, principal }) : null;
      if (lost) await this.resume(connection, namespace, admission, lost);
      else await this.welcome(connection, namespace, admission);
    } finally {
      connection.joining.delete(namespace);
    }
  }

  private async admit(connection: Connection, namespace: string, auth: Record<string, unknown>) {
    if (!this.application.hasNamespace(namespace)) {
      connection.refuse(namespace, { message: "Invalid namespace" });
      return null;
    }
    try {
      return await this.application.authenticate({ namespace, auth, handshake: connection.session.handshake });
    } catch (error) {
      if (!(error instanceof Refusal)) this.report(error, "authentication");
      connection.refuse(namespace, error instanceof Refusal ? explain(error) : { message: "INTERNAL_ERROR" });
      return null;
    }
  }

  private async welcome(connection: Connection, namespace: string, admission: Admission): Promise<void> {
    const pid = this.host.recovers ? await this.peers.newPid() : null;
    if (connection.isOver) return;
    const { principal, state = null } = admission;
    const socket = this.host.add(connection, { id: randomId(), namespace, principal, state, pid, offset: null });
    socket.greet();
    await this.host.arrived(socket, { recovered: false, admission });
  }

  /** A recovery that fails is only a connect without history. */
  private async findLost(who: { namespace: string; principal: string; auth: unknown }): Promise<LostElsewhere | null> {
    try {
      return await findLost(this.peers, who);
    } catch (error) {
      this.report(error, "a recovery");
      return null;
    }
  }

  private async resume(connection: Connection, namespace: string, admission: Admission, lost: LostElsewhere) {
    const { id, pid, offset, state } = lost;
    const { principal } = admission;
    // The client left meanwhile. Nobody was told of this attempt, so that one after the claim can still have it all.
    if (connection.isOver) return;
    const record = SocketRecord.parse({ id, namespace, principal, state, pid, offset });
    const socket = this.host.add(connection, record, { held: true });
    await this.host.arrived(socket, { recovered: true, admission });
    const missed = await lost.take();
    if (missed === null || connection.isOver) {
      // Its rooms send here already, and the old place no longer has everything: nothing can be recovered any more.
      connection.session.close("transport error");
      await this.host.abandon(socket);
      return;
    }
    this.host.replace(socket);
    socket.release(missed, offset);
  }
}

function explain({ message, data }: Refusal): { message: string; data?: unknown } {
  return data === undefined ? { message } : { message, data };
}
