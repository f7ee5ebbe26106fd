/** `useSocket`: any of the service's sockets, with typed frames; the user's event socket unless another is named. */
import {
  type AckOf,
  type CommandsOf,
  type FramesOf,
  type Published,
  RoomcastError,
  type RoomcastSocket,
  type SocketPath,
  type SocketStatus,
} from "@roomcast/client";
import { useCallback, useEffect, useMemo, useRef } from "react";
import { useSession, useStore } from "./context.ts";
import type { Session } from "./session.ts";
import { Store } from "./store.ts";

export type SocketState = {
  status: SocketStatus;
  /** Of the last close. */
  why: { code: number; reason: string } | undefined;
};

type Listen<P extends SocketPath> = (socket: RoomcastSocket<P>) => () => void;

/** One connection, however many listen. */
export class SocketStore<P extends SocketPath> extends Store<SocketState> {
  readonly #session: Session;
  readonly #path: P;
  readonly #params: Record<string, string | number>;
  readonly #listeners = new Map<Listen<P>, (() => void) | undefined>();
  readonly #onResync = new Set<() => void>();
  #socket: RoomcastSocket<P> | undefined;

  constructor(session: Session, path: P, params: Record<string, string | number>) {
    super({ status: "connecting", why: undefined });
    this.#session = session;
    this.#path = path;
    this.#params = params;
  }

  protected start(): void {
    const socket = this.#session.open(this.#path, {
      params: this.#params,
      onStatus: (status, why) => this.isLive && this.become({ status, why }),
      onResync: () => {
        for (const listener of [...this.#onResync]) listener();
      },
    });
    this.#socket = socket;
    for (const listen of this.#listeners.keys()) this.#listeners.set(listen, listen(socket));
  }

  protected stop(): void {
    this.#socket?.close();
    this.#socket = undefined;
  }

  /** Listens now, and to the next connection if this one is let go. @returns a function that stops it */
  listen(listen: Listen<P>): () => void {
    this.#listeners.set(listen, this.#socket && listen(this.#socket));
    return () => {
      this.#listeners.get(listen)?.();
      this.#listeners.delete(listen);
    };
  }

  /** Too much was missed to be repeated: what was read is to be read anew. @returns a function that stops listening */
  onResync(listener: () => void): () => void {
    this.#onResync.add(listener);
    return () => void this.#onResync.delete(listener);
  }

  send<K extends keyof CommandsOf<P> & string>(type: K, data: CommandsOf<P>[K]): Promise<AckOf<P, K>> {
    return this.#socket?.send(type, data) ?? Promise.reject(new RoomcastError("CLOSED", "No component shows this."));
  }
}

/** By session, then by path and parameters. */
const sockets = new WeakMap<Session, Map<string, unknown>>();

function socketStore<P extends SocketPath>(
  session: Session,
  path: P,
  params: Record<string, string | number>,
): SocketStore<P> {
  const stores = sockets.get(session) ?? new Map<string, unknown>();
  sockets.set(session, stores);
  const key = `${path} ${JSON.stringify(params)}`;
  const store = stores.get(key) ?? new SocketStore(session, path, params);
  stores.set(key, store);
  // What is kept under a path speaks its frames.
  return store as SocketStore<P>;
}

/** The user's own socket, which the other hooks share. */
export const eventSocket = (session: Session): SocketStore<"/ws"> => socketStore(session, "/ws", {});

type Listeners<P extends SocketPath> = {
  [K in keyof FramesOf<P> & string]?: (data: FramesOf<P>[K], seq: number | undefined) => void;
};

type OwnType = `${string}:${string}`;
const isOwnType = (type: string): type is OwnType => type.includes(":");

export type UseSocketOptions<P extends SocketPath> = {
  /** As the contract writes it; the user's event socket by default. */
  socket?: P;
  /** What stands for the `{names}` in the path. */
  params?: Record<string, string | number>;
  /** By frame type. They may be new functions on each render. */
  on?: Listeners<P>;
  /** What the product's own backend publishes, by its type. They may be new functions on each render. */
  onPublished?: { [type: OwnType]: (publication: Published) => void };
  /** What was missed is no longer kept: read anew what was read. */
  onResync?: () => void;
};

export type UseSocket<P extends SocketPath> = SocketState & {
  /** Waits for a connection, and for the answer. @throws RoomcastError */
  send: <K extends keyof CommandsOf<P> & string>(type: K, data: CommandsOf<P>[K]) => Promise<AckOf<P, K>>;
};

/**
 * A socket that is open while the component is shown; hooks that name the same one share a connection.
 * @throws Error outside a RoomcastProvider
 */
export function useSocket<P extends SocketPath = "/ws">(options: UseSocketOptions<P> = {}): UseSocket<P> {
  const session = useSession();
  // Without a path, P is its default.
  const { socket: path = "/ws" as P, params = {} } = options;
  const given = JSON.stringify(params);
  const store = useMemo(() => socketStore(session, path, JSON.parse(given)), [session, path, given]);
  const state = useStore(store);
  const latest = useRef(options);
  latest.current = options;
  const types = Object.keys(options.on ?? {}).join(" ");
  const ownTypes = Object.keys(options.onPublished ?? {}).join(" ");
  useEffect(() => {
    const names = types.split(" ").filter(Boolean) as (keyof FramesOf<P> & string)[];
    const own = ownTypes.split(" ").filter(isOwnType);
    return store.listen((socket) => {
      const stops = [
        ...names.map((type) => socket.on(type, (data, seq) => latest.current.on?.[type]?.(data, seq))),
        ...own.map((type) => socket.onPublished(type, (told) => latest.current.onPublished?.[type]?.(told))),
      ];
      return () => {
        for (const stop of stops) stop();
      };
    });
  }, [store, types, ownTypes]);
  useEffect(() => store.onResync(() => latest.current.onResync?.()), [store]);
  const send: UseSocket<P>["send"] = useCallback((type, data) => store.send(type, data), [store]);
  return { ...state, send };
}
