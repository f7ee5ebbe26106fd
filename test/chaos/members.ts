/** What members of a log have in common: they come back whatever happens, and send until they are answered. */
import { setTimeout as sleep } from "node:timers/promises";
import type { User } from "./rest.ts";
import type { Witness } from "./witness.ts";

export const BACK_MS = 100;
export const ACK_MS = 10_000;
const GIVE_UP_MS = 180_000;

export type Command = { type: string; data: Record<string, unknown> };

/** How a kind of room speaks. */
export type Speech = {
  /** The command that says `text`, sent again under the same id. */
  say(text: string): Command;
  /** The event that it arrives as, and where its text stands. */
  event: string;
  textField: string;
  /** Over Socket.IO: the event that enters, with its data. */
  join?: Command;
  /** Natively, what is said first on each connection. */
  enter?(at: { position: number | null; epoch: string | undefined }): Command;
  /** Takes what stands in no log. */
  heard?(text: string): void;
  /** The topic that is watched on the event socket, in the place of that socket's own log. */
  topic?: string;
};

/** Of those who hear, and say nothing. */
export const silent = (): Command => {
  throw new Error("Nothing is said here.");
};

export interface Member {
  readonly user: User;
  readonly witness: Witness;
  readonly isOpen: boolean;
  /** Resolves with the message's seq once it is acknowledged, however often it has to be sent. */
  say(text: string): Promise<number>;
  /** One try. @returns whether it was done */
  order(command: Command): Promise<boolean>;
  /** The network drops. */
  breakOff(): void;
  stop(): void;
}

/** How long clients were away, ms: from the loss of a connection to the next one that works. */
export const absences: number[] = [];

export abstract class Reconnecting {
  protected lostAt: number | null = null;

  protected lost(): void {
    this.lostAt ??= performance.now();
  }
  protected back(): void {
    if (this.lostAt !== null) absences.push(performance.now() - this.lostAt);
    this.lostAt = null;
  }

  protected abstract attempt(text: string): Promise<number | null>;
  protected isStopped = false;

  /** @throws Error not acknowledged within three minutes, though it was sent again and again */
  async say(text: string): Promise<number> {
    for (const giveUpAt = Date.now() + GIVE_UP_MS; Date.now() < giveUpAt; await sleep(BACK_MS)) {
      const seq = await this.attempt(text);
      if (seq !== null) return seq;
    }
    throw new Error(`"${text}" was not acknowledged within ${GIVE_UP_MS} ms: ${this.why()}`);
  }

  /** For the report: what the last failure was. */
  protected abstract why(): string;
}
