/** REST calls of the run: tried again, as any client does, until the server has answered. */
import { setTimeout as sleep } from "node:timers/promises";

const RETRY_MS = 50;
const GIVE_UP_MS = 180_000;
const ANSWER_MS = 10_000;

export type User = { id: number; username: string; token: string };
// biome-ignore lint/suspicious/noExplicitAny: the run looks into answers freely.
type Answer = any;

type Answered = Pick<Response, "ok" | "status" | "headers"> & { text: string };
type Call = { method?: string; body?: unknown; token?: string; headers?: Record<string, string> };

export class Rest {
  readonly origin: string;

  constructor(origin: string) {
    this.origin = origin;
  }

  /** One try. Null when there was no answer, not all of one, or one that asks to come again. */
  async once(path: string, { method = "GET", body, token, headers = {} }: Call = {}): Promise<Answered | null> {
    const isBytes = body instanceof Uint8Array;
    try {
      const response = await fetch(`${this.origin}${path}`, {
        method,
        signal: AbortSignal.timeout(ANSWER_MS),
        headers: {
          ...(token ? { Authorization: `Bearer ${token}` } : {}),
          ...(body === undefined || isBytes || typeof body === "string" ? {} : { "Content-Type": "application/json" }),
          ...headers,
        },
        ...(body === undefined
          ? {}
          : {
              body: isBytes ? new Blob([new Uint8Array(body)]) : typeof body === "string" ? body : JSON.stringify(body),
            }),
      });
      const text = await response.text();
      const { ok, status } = response;
      if (status < 500 && status !== 429) return { ok, status, headers: response.headers, text };
      this.#refusal = `${method} ${path} answered ${status}: ${text}`;
      return null;
    } catch {
      return null;
    }
  }

  /** Tries until there is an answer. @throws Error a refusal, or no answer within three minutes */
  async call(path: string, call: Call = {}): Promise<Answer> {
    const { ok, status, text } = await this.answered(() => this.once(`/api/v1${path}`, call));
    if (!ok) throw new Error(`${call.method ?? "GET"} ${path} answered ${status}: ${text}`);
    return text === "" ? null : JSON.parse(text);
  }

  /** The last answer that asked to come again. */
  #refusal = "no answer at all";

  async answered(attempt: () => Promise<Answered | null>): Promise<Answered> {
    for (const giveUpAt = Date.now() + GIVE_UP_MS; Date.now() < giveUpAt; await sleep(RETRY_MS)) {
      const response = await attempt();
      if (response) return response;
    }
    throw new Error(`The server did not answer for three minutes; last, ${this.#refusal}`);
  }

  async register(username: string): Promise<User> {
    const account = { username, email: `${username}@example.com`, password: "correct horse" };
    const { user, token } = await this.call("/auth/register", { method: "POST", body: account });
    return { id: user.id, username, token };
  }
}
