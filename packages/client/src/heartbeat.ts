/** Finds out that a connection is dead, which a WebSocket by itself may not tell for a quarter of an hour. */

/** Under the 75 s after which the server takes a client for gone, even if one beat is lost. */
const BEAT_MS = 25_000;
const ANSWER_WITHIN_MS = 10_000;
/** The server's own ping comes every 30 s: two were missed. */
const SILENCE_MS = 70_000;
/** A client that was not heard of for so long is gone for the server. */
const GONE_MS = 75_000;
/** Who wakes wants to know soon; to open a connection in vain costs little, since it resumes. */
const CHECK_WITHIN_MS = 600;

type Does = { beat: () => void; lost: () => void };

/**
 * `client`: sends the text `ping`, which the runtime answers while the server's object sleeps. `server`: the server pings,
 * and silence is the sign.
 */
export class Heartbeat {
  readonly #kind: "client" | "server";
  readonly #does: Does;
  #beat: ReturnType<typeof setInterval> | undefined;
  #deadline: ReturnType<typeof setTimeout> | undefined;
  #heardAt = 0;

  constructor(kind: "client" | "server", does: Does) {
    this.#kind = kind;
    this.#does = does;
  }

  start(): void {
    this.stop();
    this.#heardAt = Date.now();
    if (this.#kind === "server") return this.#expect(SILENCE_MS);
    this.#beat = setInterval(() => {
      this.#does.beat();
      this.#expect(ANSWER_WITHIN_MS);
    }, BEAT_MS);
  }

  /** Anything from the server shows that it is there. */
  heard(): void {
    this.#heardAt = Date.now();
    if (this.#deadline === undefined) return;
    this.#relax();
    if (this.#kind === "server") this.#expect(SILENCE_MS);
  }

  /** After a sleep, in which no timer ran: asks now, and takes no answer within 600 ms for none. */
  check(): void {
    if (Date.now() - this.#heardAt > GONE_MS) return this.#lose();
    this.#relax();
    this.#does.beat();
    this.#expect(CHECK_WITHIN_MS);
  }

  stop(): void {
    if (this.#beat !== undefined) clearInterval(this.#beat);
    this.#beat = undefined;
    this.#relax();
  }

  #expect(withinMs: number): void {
    this.#deadline ??= setTimeout(() => this.#lose(), withinMs);
  }

  #lose(): void {
    this.stop();
    this.#does.lost();
  }

  #relax(): void {
    if (this.#deadline !== undefined) clearTimeout(this.#deadline);
    this.#deadline = undefined;
  }
}
