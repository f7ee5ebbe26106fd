/**
 * What a user's browsers are woken for: all that comes while no connection takes it. A connection that has been silent for long
 * takes it as long as its socket is open: of a page that nobody types into, silence tells nothing (SPEC 14). If it turns out to
 * have been dead, what it was sent since it was last heard of is pushed when it ends.
 */
import { z } from "zod";
import type { Connection } from "../realtime/connection.ts";
import type { FrameLog } from "../realtime/log.ts";
import type { Frame } from "../realtime/protocol.ts";
import type { Pushes, PushItem } from "./pushes.ts";

/** Of the frames that a vanished client may have missed, as many as are looked at. */
const MISSED_BYTES = 256 * 1024;
const LoggedFrame = z.object({ type: z.string(), data: z.unknown() });

type Host = {
  pushes: Pushes;
  log: FrameLog;
  /** All of the user's, also those that are suspended. */
  connections: () => Iterable<Connection>;
  /** What of a frame is pushed. */
  itemIn: (frame: Frame) => PushItem | null;
};

export class AwayPushes {
  readonly #host: Host;

  constructor(host: Host) {
    this.#host = host;
  }

  /** Whether no connection is open. A client that its gateway has lost has none. */
  get isAway(): boolean {
    for (const connection of this.#host.connections()) if (!isLost(connection)) return false;
    return true;
  }

  noteFrame(frame: Frame, now: number): void {
    if (!this.#host.pushes.isOn || !this.isAway) return;
    const item = this.#host.itemIn(frame);
    if (item) this.#host.pushes.note(item, now);
  }

  /** Something that is no frame of the user's. */
  noteItem(item: PushItem, now: number): void {
    if (this.isAway) this.#host.pushes.note(item, now);
  }

  /** The user's last connection is not here any more. */
  closed(connection: Connection, now: number): void {
    if (!connection.hasLeft) this.#noteMissed(connection, now);
  }

  /** A connection has ended. Of those that were silent before, nothing was pushed until now. */
  gone(connection: Connection, now: number): void {
    if (isSilent(connection)) this.closed(connection, now);
  }

  /** What was sent to a client that vanished, after it was last heard of, may not have arrived. */
  #noteMissed({ lastHeardAt }: Connection, now: number): void {
    const { pushes, log } = this.#host;
    if (!pushes.isOn || !this.isAway) return;
    const missed = log.page(log.headBefore(lastHeardAt), MISSED_BYTES);
    for (const { text } of missed?.frames ?? []) this.noteFrame(LoggedFrame.parse(JSON.parse(text)), now);
  }
}

const isHeldElsewhere = ({ transportKind }: Connection): boolean => transportKind === "gateway";

/** Its gateway waits for it to come back. */
const isLost = (connection: Connection): boolean =>
  connection.state.isSuspended === true && isHeldElsewhere(connection);

/** Its socket is open, and has said nothing for long. */
const isSilent = (connection: Connection): boolean =>
  connection.state.isSuspended === true && !isHeldElsewhere(connection);
