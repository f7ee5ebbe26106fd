/** Who is here: by id, by socket, by user; and who is away and may be back. */
import { AppError } from "../errors.ts";
import type { Connection } from "./connection.ts";
import type { Person } from "./connection-state.ts";

const CONNECTIONS_PER_USER = 100;
/** The platform takes 32,768 sockets per object; some are left for those that are closing. */
const CONNECTIONS_PER_OBJECT = 32_000;

/** Who is here, as a kind of room sees it. */
export interface PresentConnections {
  /** Connections, with those that are suspended. */
  readonly size: number;
  /** Those of them that this object holds itself. */
  readonly heldSize: number;
  get(id: string): Connection | undefined;
  values(): Iterable<Connection>;
  /** A user's connections, without those that are suspended. */
  of(userId: number): Connection[];
  /** A user's connections, with those that are suspended. */
  allOf(userId: number): Connection[];
  /** How many users are here. */
  readonly userCount: number;
  /** The users who are here, one connection each, at most so many. */
  people(most?: number): Connection[];
  /** Resolves when who vanished without a close is gone, also from gateways: for an answer that must be true now. */
  verify(): Promise<void>;
}

type Host = {
  /** A user's connection is here no more; `isLast`: they have no other. Told once. */
  absent(connection: Connection, isLast: boolean): void;
  verify(): Promise<void>;
};

export class Connections implements PresentConnections {
  readonly #host: Host;
  readonly #byId = new Map<string, Connection>();
  #remoteSize = 0;
  readonly #bySocket = new WeakMap<WebSocket, Connection>();
  readonly #present = new Map<number, Set<Connection>>();
  /** Members that may come back: they are sent what happens, and are not counted as being here. */
  readonly #suspended = new Map<number, Set<Connection>>();

  constructor(host: Host) {
    this.#host = host;
  }

  get size(): number {
    return this.#byId.size;
  }

  get heldSize(): number {
    return this.#byId.size - this.#remoteSize;
  }

  get userCount(): number {
    return this.#present.size;
  }

  get(id: string): Connection | undefined {
    return this.#byId.get(id);
  }

  find(socket: WebSocket): Connection | undefined {
    return this.#bySocket.get(socket);
  }

  values(): Iterable<Connection> {
    return this.#byId.values();
  }

  has(connection: Connection): boolean {
    return this.#byId.get(connection.id) === connection;
  }

  of(userId: number): Connection[] {
    return [...(this.#present.get(userId) ?? [])];
  }

  /** One that is held here, and not by a gateway. */
  socketOf(userId: number): Connection | undefined {
    for (const connection of this.#present.get(userId) ?? []) {
      if (!isRemote(connection)) return connection;
    }
    return undefined;
  }

  allOf(userId: number): Connection[] {
    return [...this.of(userId), ...(this.#suspended.get(userId) ?? [])];
  }

  /** How many connections a user has, without those that are suspended. */
  countOf(userId: number): number {
    return this.#present.get(userId)?.size ?? 0;
  }

  people(most = Number.POSITIVE_INFINITY): Connection[] {
    const people: Connection[] = [];
    for (const own of this.#present.values()) {
      if (people.length >= most) break;
      const [connection] = own;
      if (connection) people.push(connection);
    }
    return people;
  }

  /** What is known of a user changed. */
  updatePerson(person: Partial<Person> & { userId: number }): void {
    for (const connection of this.allOf(person.userId)) {
      Object.assign(connection.state, person);
      connection.save();
    }
  }

  verify(): Promise<void> {
    return this.#host.verify();
  }

  /** @throws AppError RATE_LIMIT the object, or the user, has too many connections */
  requireSpace(userId: number): void {
    if (this.size >= CONNECTIONS_PER_OBJECT) throw new AppError("RATE_LIMIT", "This room is full.");
    if (this.allOf(userId).length >= CONNECTIONS_PER_USER) throw new AppError("RATE_LIMIT");
  }

  add(connection: Connection, socket?: WebSocket): void {
    if (isRemote(connection) && !this.#byId.has(connection.id)) this.#remoteSize += 1;
    this.#byId.set(connection.id, connection);
    if (socket) this.#bySocket.set(socket, connection);
    list(connection.state.isSuspended ? this.#suspended : this.#present, connection);
  }

  /** Another connection of the same id takes its place: nobody is told. */
  supersede(connection: Connection): void {
    connection.isOpen = false;
    unlist(this.#suspended, connection);
    unlist(this.#present, connection);
  }

  /** Lost, and perhaps back soon, or silent for long: gone for the others until then. */
  suspend(connection: Connection): void {
    connection.state.isSuspended = true;
    connection.save();
    list(this.#suspended, connection);
    this.#depart(connection);
  }

  /** It is here again. */
  resume(connection: Connection): void {
    unlist(this.#suspended, connection);
    connection.state.isSuspended = false;
    connection.save();
    list(this.#present, connection);
  }

  /** @returns false if it is gone already */
  remove(connection: Connection): boolean {
    if (!this.has(connection)) return false;
    this.#byId.delete(connection.id);
    if (isRemote(connection)) this.#remoteSize -= 1;
    unlist(this.#suspended, connection);
    this.#depart(connection);
    return true;
  }

  #depart(connection: Connection): void {
    if (!unlist(this.#present, connection)) return;
    this.#host.absent(connection, !this.#present.has(connection.userId));
  }
}

const isRemote = ({ transportKind }: Connection): boolean => transportKind === "gateway";

function list(users: Map<number, Set<Connection>>, connection: Connection): void {
  const own = users.get(connection.userId);
  if (own) own.add(connection);
  else users.set(connection.userId, new Set([connection]));
}

/** @returns whether it was there */
function unlist(users: Map<number, Set<Connection>>, connection: Connection): boolean {
  const own = users.get(connection.userId);
  if (!own?.delete(connection)) return false;
  if (own.size === 0) users.delete(connection.userId);
  return true;
}
