/** Headless Chromium with a camera and a microphone that are not there. */
import { existsSync } from "node:fs";
import { type Browser, chromium, type Page } from "playwright-core";

const EXECUTABLE = process.env.CHROMIUM ?? "/usr/bin/chromium";

/** What public/call/app.js leaves in `window.roomcast`, as far as it is looked at here. */
type Call = {
  isOnline: boolean;
  people: Map<number, Record<string, unknown>>;
  peers: Map<number, { pc: RTCPeerConnection; isPolite: boolean }>;
};
declare global {
  interface Window {
    roomcast: Call;
    heldOffers: string[] | null;
    releaseOffers: () => void;
    ufrags: () => string;
    receivedBytes: () => Promise<Record<string, number>>;
  }
}

export const isChromiumHere = (): boolean => existsSync(EXECUTABLE);

export const launch = (): Promise<Browser> =>
  chromium.launch({
    executablePath: EXECUTABLE,
    args: [
      "--headless",
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
      "--use-fake-device-for-media-stream",
      "--use-fake-ui-for-media-stream",
      "--auto-select-desktop-capture-source=Entire screen",
    ],
  });

/** Of the frames in one message; the answer to a heartbeat is none. */
const typesIn = (payload: string): string[] =>
  payload === "pong" ? [] : [JSON.parse(payload)].flat().map(({ type }) => type);

/** One person in front of the call page, in a browser profile of their own. */
export class Caller {
  readonly page: Page;
  /** What the page could not do: errors and violations of its content security policy. */
  readonly complaints: string[] = [];
  /** Types of the frames that came. */
  readonly received: string[] = [];

  private constructor(page: Page) {
    this.page = page;
    page.on("pageerror", (error) => this.complaints.push(String(error)));
    page.on("console", (message) => {
      if (message.type() === "error") this.complaints.push(message.text());
    });
    page.on("websocket", (socket) =>
      socket.on("framereceived", ({ payload }) => this.received.push(...typesIn(String(payload)))),
    );
  }

  /** Comes in as a guest: by an invitation, or starting a call. */
  static async enter(browser: Browser, url: string, displayName: string): Promise<Caller> {
    const context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
    const caller = new Caller(await context.newPage());
    const { page } = caller;
    await page.addInitScript(() => {
      window.receivedBytes = async () => {
        const bytes: Record<string, number> = {};
        for (const [userId, { pc }] of window.roomcast.peers) {
          for (const { type, kind, bytesReceived } of (await pc.getStats()).values()) {
            const key = `${userId} ${kind}`;
            if (type === "inbound-rtp") bytes[key] = (bytes[key] ?? 0) + bytesReceived;
          }
        }
        return bytes;
      };
    });
    await page.goto(url);
    await page.click("text=Continue as a guest");
    await page.fill("[name=displayName]", displayName);
    await page.click("#enter");
    await caller.until("to be in the call", () => window.roomcast?.isOnline === true);
    return caller;
  }

  /**
   * Waits until something is so in the page. Playwright types a function's argument by a type of its own that it does not
   * export, and that no type parameter fits: hence the cast.
   */
  async until<A>(what: string, isSo: (argument: A) => unknown, argument?: A, withinMs = 20_000): Promise<void> {
    try {
      await this.page.waitForFunction(isSo as (argument: unknown) => unknown, argument, { timeout: withinMs });
    } catch (error) {
      throw new Error(`Waited in vain ${what}; complaints: ${this.complaints.join(" | ")}`, { cause: error });
    }
  }

  /** Waits until media flows both ways with so many others, by what the browser has received. */
  async untilConnected(others: number): Promise<void> {
    await this.until(
      `for ${others} connections`,
      (count) => {
        const peers = [...window.roomcast.peers.values()];
        return peers.length === count && peers.every(({ pc }) => pc.connectionState === "connected");
      },
      others,
    );
    const before = await this.receivedBytes();
    await this.until(
      "for media",
      async ({ known, count }) => {
        const now = await window.receivedBytes();
        const kinds = Object.entries(now);
        return kinds.length === 2 * count && kinds.every(([kind, bytes]) => bytes > (known[kind] ?? 0));
      },
      { known: before, count: others },
    );
  }

  /** Bytes received so far, by `<user id> <audio|video>`. */
  receivedBytes(): Promise<Record<string, number>> {
    return this.page.evaluate(() => window.receivedBytes());
  }

  /**
   * From now on, while `heldOffers` is a list, this page's offers go into it instead of out; `releaseOffers()` sends them.
   */
  interceptOffers(): Promise<void> {
    return this.page.evaluate(() => {
      const send = WebSocket.prototype.send;
      let release: (() => void)[] = [];
      window.heldOffers = null;
      WebSocket.prototype.send = function (data) {
        if (!window.heldOffers || !String(data).includes('"webrtc:offer"')) return send.call(this, data);
        window.heldOffers.push(String(data));
        release.push(() => send.call(this, data));
      };
      window.releaseOffers = () => {
        window.heldOffers = null;
        for (const go of release) go();
        release = [];
      };
      // A restarted ICE has a new name for itself: this is how a finished negotiation is told from the one before.
      window.ufrags = () =>
        [...window.roomcast.peers.values()]
          .map(({ pc }) => /a=ice-ufrag:(\S+)/.exec(pc.currentLocalDescription?.sdp ?? "")?.[1])
          .join();
    });
  }
}
