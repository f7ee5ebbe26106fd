/** Who uses the service: what all stores of one person share. */
import {
  answerOf,
  type Client,
  type OutboxStorage,
  RoomcastError,
  RoomcastSocket,
  roomcast,
  type SocketOptions,
  type SocketPath,
} from "@roomcast/client";
import type { Store } from "./store.ts";

/** A token, or how to get one; as in @roomcast/client. */
export type TokenSource = NonNullable<SocketOptions<"/ws">["token"]>;

export type SessionOptions = {
  /** The service, e.g. `https://rooms.example`. */
  url: string;
  token: TokenSource;
  /** Whose token it is. */
  userId: number;
  /** Keeps unsent messages over a reload, e.g. `localStorage`. Without it they last as long as the provider. */
  storage?: OutboxStorage | undefined;
  /** The service knows the token no more, or the account is banned: time to sign in again. */
  onSignedOut?: ((error: RoomcastError) => void) | undefined;
};

/** For calls that others wait for: over a network that has died without a word, one may hang for minutes. */
export const withinSeconds = (seconds: number) => ({ init: { signal: AbortSignal.timeout(seconds * 1000) } });

type Listening<P extends SocketPath> = Pick<SocketOptions<P>, "params" | "onStatus" | "onResync">;

export class Session {
  readonly userId: number;
  /** REST, typed by the service's contract. Wrap a call in `answer`. */
  readonly api: Client;
  readonly #token: TokenSource;
  readonly url: string;
  readonly storage: OutboxStorage | undefined;
  readonly #onSignedOut: (error: RoomcastError) => void;

  constructor({ url, token, userId, storage, onSignedOut = () => undefined }: SessionOptions) {
    this.url = url;
    this.#token = token;
    this.userId = userId;
    this.storage = storage;
    this.api = roomcast(url, { token });
    this.#onSignedOut = onSignedOut;
  }

  /** A socket that opens with tickets, so that no token stands in an address. */
  open<P extends SocketPath>(socket: P, listening: Listening<P>): RoomcastSocket<P> {
    const ticket = async () => (await this.answer(this.api.auth["ws-ticket"].$post({}, withinSeconds(15)))).ticket;
    return new RoomcastSocket<P>({ url: this.url, socket, ticket, onError: () => undefined, ...listening });
  }

  /** For what speaks to the service by itself. */
  readToken(): string | Promise<string> {
    return typeof this.#token === "string" ? this.#token : this.#token({ rejected: false });
  }

  /** The body of a call. @throws RoomcastError; UNAUTHORIZED ends the session, too */
  async answer<T>(call: Parameters<typeof answerOf<T>>[0]): Promise<T> {
    try {
      return await answerOf(call);
    } catch (error) {
      if (error instanceof RoomcastError && error.code === "UNAUTHORIZED") this.#onSignedOut(error);
      throw error;
    }
  }
}

/** The stores of one kind: one for each thing they show, however many components do. They go with their session. */
export class Stores<S extends Store<unknown>> {
  readonly #make: (session: Session, key: string) => S;
  readonly #stores = new WeakMap<Session, Map<string, S>>();

  constructor(make: (session: Session, key: string) => S) {
    this.#make = make;
  }

  of(session: Session, key = ""): S {
    const stores = this.#stores.get(session) ?? new Map<string, S>();
    this.#stores.set(session, stores);
    const store = stores.get(key) ?? this.#make(session, key);
    stores.set(key, store);
    return store;
  }
}
