/** Commands on their way: each waits for its ack or error, for its time to run out, or for the socket to drop. */
import type { ErrorCode } from "./contract.ts";
import { RoomcastError } from "./error.ts";

type Pending = {
  text: string;
  isSent: boolean;
  timer: ReturnType<typeof setTimeout>;
  resolve: (data: unknown) => void;
  reject: (error: RoomcastError) => void;
};

export const closedBy = (closeCode: number): RoomcastError =>
  new RoomcastError("CLOSED", "The socket is closed.", { closeCode });

export class PendingCommands {
  readonly #pending = new Map<string, Pending>();
  #count = 0;

  /** Notes a command; `sendAll` sends it. */
  add(type: string, data: unknown, timeoutMs: number): Promise<unknown> {
    this.#count += 1;
    const id = String(this.#count);
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#take(id)?.reject(new RoomcastError("TIMEOUT", `No answer to ${type} within ${timeoutMs} ms.`));
      }, timeoutMs);
      this.#pending.set(id, { text: JSON.stringify({ type, data, id }), isSent: false, timer, resolve, reject });
    });
  }

  /** Sends what was not sent yet, in order. */
  sendAll(send: (text: string) => void): void {
    for (const command of this.#pending.values()) {
      if (command.isSent) continue;
      command.isSent = true;
      send(command.text);
    }
  }

  acknowledged(id: string, data: unknown): void {
    this.#take(id)?.resolve(data);
  }

  /** @returns whether the command was one of ours */
  refused(id: string, { code, message }: { code: ErrorCode; message: string }): boolean {
    const command = this.#take(id);
    command?.reject(new RoomcastError(code, message));
    return command !== undefined;
  }

  /** The socket dropped: of what was sent nobody knows any more; what was not sent goes out on the next one. */
  dropSent(): void {
    for (const [id, { isSent }] of this.#pending) {
      if (isSent)
        this.#take(id)?.reject(new RoomcastError("CONNECTION_LOST", "The connection dropped before the answer."));
    }
  }

  dropAll(closeCode: number): void {
    for (const id of [...this.#pending.keys()]) {
      this.#take(id)?.reject(closedBy(closeCode));
    }
  }

  #take(id: string): Pending | undefined {
    const command = this.#pending.get(id);
    if (command) clearTimeout(command.timer);
    this.#pending.delete(id);
    return command;
  }
}
