/** Where a user is connected, as an admin is told. */
import type { Connection } from "../realtime/connection.ts";
import type { RoomRef } from "../realtime/room-ref.ts";
import type { RoomReferences } from "./room-references.ts";

const ROOMS = 100;

export type Whereabouts = {
  connections: {
    id: string;
    /** Whether a gateway holds it: a client of Socket.IO. */
    isSocketIo: boolean;
    openedAt: number;
    lastHeardAt: number;
    /** Silent for long, or lost and perhaps back soon. */
    isSuspended: boolean;
  }[];
  rooms: RoomRef[];
};

export const whereaboutsOf = (connections: Iterable<Connection>, rooms: RoomReferences): Whereabouts => ({
  connections: [...connections].map(({ id, transportKind, lastHeardAt, state }) => ({
    id,
    isSocketIo: transportKind === "gateway",
    openedAt: state.openedAt,
    lastHeardAt,
    isSuspended: state.isSuspended === true,
  })),
  rooms: rooms.list(ROOMS),
});
