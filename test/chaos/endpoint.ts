/** A product's backend, which is told of what happens (docs/webhooks.md): each thing once, by its id, and in order per subject. */
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server } from "node:http";
import { freePort } from "../../scripts/test-server.ts";
import type { Log, Witness } from "./witness.ts";

type Event = { type: string; subject: string; data: { content?: string; message?: string } };

export class Endpoint {
  readonly #server: Server;
  readonly #ids = new Set<string>();
  /** Subject → the number of its newest event. */
  readonly #newest = new Map<string, number>();
  readonly #witnesses: Map<string, Witness>;
  readonly faults: string[] = [];
  repeats = 0;

  /** @param logs what is acknowledged of each type of event */
  constructor(logs: Map<string, Log>) {
    this.#witnesses = new Map([...logs].map(([type, log]) => [type, log.witness("endpoint")]));
    this.#server = createServer((request, response) => {
      void this.#take(request).then(
        () => response.writeHead(204).end(),
        // The server was killed in the middle of it.
        () => response.destroy(),
      );
    });
  }

  /** @returns where it is called */
  async start(): Promise<string> {
    const port = await freePort();
    this.#server.listen(port, "127.0.0.1");
    await once(this.#server, "listening");
    return `http://127.0.0.1:${port}/`;
  }

  get events(): number {
    return this.#ids.size;
  }

  async #take(request: IncomingMessage): Promise<void> {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part);
    const id = String(request.headers["webhook-id"]);
    const { type, subject, data }: Event = JSON.parse(Buffer.concat(parts).toString());
    if (this.#ids.has(id)) {
      this.repeats += 1;
      return;
    }
    this.#ids.add(id);
    this.#witnesses.get(type)?.heard(String(data.content ?? data.message));
    this.#inOrder(subject, Number(id.slice(id.lastIndexOf("-") + 1)));
  }

  /** An id ends with what its source counts: a room its positions, the database what it has to tell. */
  #inOrder(subject: string, seq: number): void {
    const before = this.#newest.get(subject) ?? 0;
    if (seq < before) this.faults.push(`endpoint: ${subject} ${seq} came after ${before}`);
    this.#newest.set(subject, Math.max(before, seq));
  }

  stop(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}
