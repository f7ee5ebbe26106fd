/**
 * Bodies that are refused in the middle. Whoever is still sending when the connection is closed sees a reset, and never the
 * answer: so a bounded rest is read before it goes out. What was not begun to be read is left alone, and unlocked: the
 * platform, or `wrangler dev`, sees to that.
 */
import type { MiddlewareHandler } from "hono";
import type { HttpEnv } from "./env.ts";

const MB = 1024 * 1024;
/** A rest as small as this the platform reads by itself. */
const SMALL_BYTES = 64 * 1024;
/** `bytes`: of a body whose length is known; one that is longer is reset all the same. `unannounced`: of one that may never end. */
const DRAIN = { bytes: 32 * MB, unannounced: 2 * MB, ms: 5000 };

/** Reads what a handler left of a body that it had begun to read, up to a bound. Handlers may cancel it, or just stop. */
export const drainBody: MiddlewareHandler<HttpEnv> = async (c, next) => {
  const { body, headers } = c.req.raw;
  const declared = headers.get("content-length");
  const length = declared === null ? null : Number(declared);
  if (!body || (length !== null && (length <= SMALL_BYTES || length > DRAIN.bytes))) return next();
  const source = new Source(body);
  c.req.raw = new Request(c.req.raw, { body: source.stream });
  await next();
  await source.drain(length ?? DRAIN.unannounced);
};

type Chunk = ReadableStreamReadResult<Uint8Array>;

class Source {
  /** What handlers read. Nothing is read ahead of them, and to cancel it leaves the rest where it is. */
  readonly stream: ReadableStream<Uint8Array>;
  readonly #body: ReadableStream<Uint8Array>;
  #reader: ReadableStreamDefaultReader<Uint8Array> | undefined;
  /** The last read, which may be under way: there can only be one at a time. */
  #reading: Promise<Chunk> | undefined;

  constructor(body: ReadableStream<Uint8Array>) {
    this.#body = body;
    const pull = (controller: ReadableStreamDefaultController<Uint8Array>) => this.#pull(controller);
    this.stream = new ReadableStream<Uint8Array>({ pull }, { highWaterMark: 0 });
  }

  #read(): Promise<Chunk> {
    this.#reader ??= this.#body.getReader();
    this.#reading = this.#reader.read();
    return this.#reading;
  }

  async #pull(controller: ReadableStreamDefaultController<Uint8Array>): Promise<void> {
    const { done, value } = await this.#read();
    if (done) controller.close();
    else controller.enqueue(value);
  }

  async drain(most: number): Promise<void> {
    if (this.#reading) await Promise.race([this.#readRest(this.#reading, most), scheduler.wait(DRAIN.ms)]);
  }

  async #readRest(first: Promise<Chunk>, most: number): Promise<void> {
    try {
      let chunk = await first;
      for (let left = most; !chunk.done && left > 0; chunk = await this.#read()) left -= chunk.value.byteLength;
      this.#reader?.releaseLock();
    } catch {
      // The client is gone, or was: nobody waits for the answer.
    }
  }
}
