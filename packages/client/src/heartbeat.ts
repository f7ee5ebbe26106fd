/** Finds out that a connection is dead, which a WebSocket by itself may not tell for a quarter of an hour. */

/** Under the 75 s after which the server takes a client for gone, even if one beat is lost. */
const BEAT_MS = 25_000;
const ANSWER_WITHIN_MS = 10_000;
/** The server's own ping comes every 30 s: two were missed. */
const SILENCE_MS = 70_000;

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

  constructor(kind: "client" | "server", does: Does) {
    this.#kind = kind;
    this.#does = does;
  }

  start(): void {
    this.stop();
    if (this.#kind === "server") return this.#expect(SILENCE_MS);
    this.#beat = setInterval(() => {
      this.#does.beat();
      this.#expect(ANSWER_WITHIN_MS);
    }, BEAT_MS);
  }

  /** Anything from the server shows that it is there. */
  heard(): void {
    if (this.#deadline === undefined) return;
    this.#relax();
    if (this.#kind === "server") this.#expect(SILENCE_MS);
  }

  stop(): void {
    if (this.#beat !== undefined) clearInterval(this.#beat);
    this.#beat = undefined;
    this.#relax();
  }

  #expect(withinMs: number): void {
    this.#deadline ??= setTimeout(() => {
      this.stop();
      this.#does.lost();
    }, withinMs);
  }

  #relax(): void {
    if (this.#deadline !== undefined) clearTimeout(this.#deadline);
    this.#deadline = undefined;
  }
}
