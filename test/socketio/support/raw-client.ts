import { SELF } from "cloudflare:test";

export type Frame = string | ArrayBuffer;

/** One side of a WebSocket, frame by frame. */
export class RawSocket {
  private readonly frames: Frame[] = [];
  private readonly waiting: ((frame: Frame | null) => void)[] = [];
  isClosed = false;

  constructor(private readonly socket: WebSocket) {
    socket.addEventListener("message", ({ data }) => this.push(data));
    socket.addEventListener("close", () => this.push(null));
    socket.binaryType = "arraybuffer";
    socket.accept();
  }

  send(frame: Frame): void {
    this.socket.send(frame);
  }

  close(): void {
    this.socket.close();
  }

  /** The next frame; fails, naming what was waited for, if none comes or the socket closes. */
  async next(what: string): Promise<Frame> {
    const frame = await this.take(what);
    if (frame === null) throw new Error(`the socket closed before ${what}`);
    return frame;
  }

  async text(what: string): Promise<string> {
    const frame = await this.next(what);
    if (typeof frame !== "string") throw new Error(`${what} came as binary`);
    return frame;
  }

  /** Resolves when the socket closes; fails on any frame before. */
  async closed(what: string): Promise<void> {
    const frame = await this.take(what);
    if (frame !== null) throw new Error(`${String(frame)} came before ${what}`);
  }

  private push(frame: Frame | null): void {
    if (frame === null) this.isClosed = true;
    const waiter = this.waiting.shift();
    if (waiter) waiter(frame);
    else if (frame !== null) this.frames.push(frame);
  }

  private take(what: string): Promise<Frame | null> {
    const frame = this.frames.shift();
    if (frame !== undefined) return Promise.resolve(frame);
    if (this.isClosed) return Promise.resolve(null);
    return within(what, new Promise((resolve) => this.waiting.push(resolve)));
  }
}

const PATIENCE_MS = 3000;

export function within<T>(what: string, promise: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`timed out waiting for ${what}`)), PATIENCE_MS);
    promise.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

export interface Answer {
  status: number;
  text: string;
}

const ORIGIN = "https://roomcast.example";

/** Requests as a client of one path makes them. */
export class RawClient {
  constructor(readonly path: string) {}

  fetch(query: Record<string, string>, init?: RequestInit): Promise<Response> {
    return SELF.fetch(new Request(`${ORIGIN}${this.path}?${new URLSearchParams(query)}`, init));
  }

  /** A long-polling handshake: the sid. */
  async handshake(): Promise<string> {
    const { status, text } = await this.get({ EIO: "4", transport: "polling" });
    if (status !== 200) throw new Error(`handshake refused: ${text}`);
    return sidIn(text);
  }

  async get(query: Record<string, string>): Promise<Answer> {
    return answerOf(await within("an answer to GET", this.fetch(query)));
  }

  poll(sid: string): Promise<Answer> {
    return this.get({ EIO: "4", transport: "polling", sid });
  }

  async post(sid: string, body: BodyInit, headers?: HeadersInit): Promise<Answer> {
    const query = { EIO: "4", transport: "polling", sid };
    return answerOf(await within("an answer to POST", this.fetch(query, { method: "POST", body, headers })));
  }

  async socket(query: Record<string, string> = {}): Promise<RawSocket> {
    const upgrade = { headers: { Upgrade: "websocket" } };
    const response = await this.fetch({ EIO: "4", transport: "websocket", ...query }, upgrade);
    if (!response.webSocket) throw new Error(`no WebSocket: ${response.status} ${await response.text()}`);
    return new RawSocket(response.webSocket);
  }

  /** A WebSocket session that has joined `/`. */
  async join(user: string, namespace = "/"): Promise<{ socket: RawSocket; sid: string; id: string; pid: string }> {
    const socket = await this.socket();
    const sid = sidIn(await socket.text("the handshake"));
    const prefix = namespace === "/" ? "" : `${namespace},`;
    socket.send(`40${prefix}{"token":"user:${user}"}`);
    return { socket, sid, ...welcomeIn(await socket.text("the welcome")) };
  }

  /** A long-polling session that has joined `/`. */
  async joinPolling(user: string): Promise<{ sid: string; id: string; pid: string }> {
    const sid = await this.handshake();
    const [, answer] = await Promise.all([this.post(sid, `40{"token":"user:${user}"}`), this.poll(sid)]);
    return { sid, ...welcomeIn(answer.text) };
  }
}

async function answerOf(response: Response): Promise<Answer> {
  return { status: response.status, text: await response.text() };
}

export function sidIn(packet: string): string {
  const { sid }: { sid: string } = JSON.parse(packet.slice(1));
  return sid;
}

export function welcomeIn(packet: string): { id: string; pid: string } {
  const { sid, pid }: { sid: string; pid: string } = JSON.parse(packet.slice(packet.indexOf("{")));
  return { id: sid, pid };
}
