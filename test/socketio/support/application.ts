import { z } from "zod";
import {
  type Application,
  type Arrival,
  type ClientSocket,
  type DisconnectReason,
  type NamespaceRequest,
  type ReceivedEvent,
  Refusal,
} from "../../../src/socketio/application.ts";
import type { LabRoom } from "./room.ts";

const Auth = z.object({ token: z.string().startsWith("user:") });
const State = z.object({ count: z.number(), rooms: z.array(z.string()), stuff: z.string().optional() });
type State = z.infer<typeof State>;
type LabSocket = ClientSocket<State>;

type Listener = (socket: LabSocket, event: ReceivedEvent) => void | Promise<void>;

/** Lets in `user:<name>`, and does one thing per event name. */
export class LabApplication implements Application<State> {
  readonly stateSchema = State;

  constructor(private readonly rooms: DurableObjectNamespace<LabRoom>) {}

  hasNamespace(namespace: string): boolean {
    return namespace === "/" || namespace === "/admin";
  }

  async authenticate({ namespace, auth }: NamespaceRequest) {
    // As a token check would: later than the next frame.
    await scheduler.wait(1);
    const { data } = Auth.safeParse(auth);
    if (!data) throw new Refusal("UNAUTHORIZED", { code: "UNAUTHORIZED" });
    if (namespace === "/admin" && data.token !== "user:admin") throw new Refusal("FORBIDDEN");
    if (data.token === "user:crash") throw new Error("a secret that no client may see");
    return { principal: data.token.slice("user:".length), state: { count: 0, rooms: [] } };
  }

  async connected(socket: LabSocket, { recovered }: Arrival<State>): Promise<void> {
    if (recovered) for (const room of socket.state.rooms) await this.enter(socket, room);
    else if (socket.handshake.query.greet) socket.emit("hello", socket.principal);
  }

  async received(socket: LabSocket, event: ReceivedEvent): Promise<void> {
    await this.listeners[event.name]?.(socket, event);
  }

  checked(socket: LabSocket): void {
    if (socket.state.rooms.includes("expired")) socket.disconnect();
  }

  async suspended(socket: LabSocket, reason: DisconnectReason): Promise<void> {
    await this.room("log").say(`suspended ${socket.principal}: ${reason}`);
  }

  async disconnected(socket: LabSocket, reason: DisconnectReason): Promise<void> {
    for (const room of socket.state.rooms) await this.room(room).leave(socket.id);
    await this.room("log").say(`disconnected ${socket.principal}: ${reason}`);
  }

  private readonly listeners: Record<string, Listener> = {
    echo: (socket, { args, ack }) => (ack ? ack(...args) : socket.emit("echo", ...args)),
    slow: async (_socket, { args, ack }) => {
      await scheduler.wait(Number(args[0]));
      ack?.(args[0]);
    },
    count: (socket, { ack }) => {
      const state = socket.state;
      socket.state = { ...state, count: state.count + 1 };
      ack?.(state.count + 1);
    },
    stuff: (socket, { args, ack }) => {
      try {
        socket.state = { ...socket.state, stuff: "x".repeat(Number(args[0])) };
        ack?.("kept");
      } catch (error) {
        ack?.(error instanceof RangeError ? "too large" : "failed");
      }
    },
    traffic: (socket, { ack }) => ack?.(socket.traffic.packets, socket.traffic.chars),
    crash: () => {
      throw new Error("a bug in a handler");
    },
    kick: (socket, { args }) => socket.disconnect(args[0] === true),
    join: async (socket, { args, ack }) => {
      const room = String(args[0]);
      const state = socket.state;
      socket.state = { ...state, rooms: [...state.rooms, room] };
      await this.enter(socket, room);
      ack?.("joined");
    },
    say: async (_socket, { args, ack }) => {
      await this.room(String(args[0])).say(String(args[1]));
      ack?.("said");
    },
    show: async (_socket, { args, ack }) => {
      if (args[1] instanceof ArrayBuffer) await this.room(String(args[0])).show(args[1]);
      ack?.("shown");
    },
  };

  private enter(socket: LabSocket, room: string): Promise<void> {
    return this.room(room).join(socket.id, socket.gateway);
  }

  private room(name: string): DurableObjectStub<LabRoom> {
    return this.rooms.getByName(name);
  }
}
