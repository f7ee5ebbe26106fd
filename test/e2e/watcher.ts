/** One person in front of the live page, in a browser profile of their own. */
import type { Browser, Locator, Page } from "playwright-core";

/** What a browser says of a server that is down; nothing that a page could help. */
const NETWORK = /net::ERR_|WebSocket connection to .* failed/;

declare global {
  interface Window {
    /** The page's sockets, the newest last. */
    sockets: WebSocket[];
    /** Gone after a reload. */
    isSamePage: boolean;
  }
}

export class Watcher {
  readonly page: Page;
  /** What the page could not do: errors and violations of its content security policy. */
  readonly complaints: string[] = [];
  /** Addresses of its sockets. */
  readonly socketUrls: string[] = [];
  readonly requestUrls: string[] = [];

  private constructor(page: Page) {
    this.page = page;
    page.on("pageerror", (error) => this.complaints.push(String(error)));
    page.on("console", (message) => {
      if (message.type() === "error") this.complaints.push(message.text());
    });
    page.on("websocket", (socket) => this.socketUrls.push(socket.url()));
    page.on("request", (request) => this.requestUrls.push(request.url()));
  }

  static async open(browser: Browser, url: string): Promise<Watcher> {
    const context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
    context.setDefaultTimeout(15_000);
    const watcher = new Watcher(await context.newPage());
    await watcher.page.addInitScript(() => {
      window.sockets = [];
      window.WebSocket = class extends WebSocket {
        constructor(address: string | URL) {
          super(address);
          window.sockets.push(this);
        }
      };
    });
    await watcher.page.goto(url);
    return watcher;
  }

  /** Comes in with a fresh account. */
  static async asGuest(browser: Browser, url: string): Promise<Watcher> {
    const watcher = await Watcher.open(browser, url);
    await watcher.page.click("#sign-in");
    await watcher.page.click("dialog >> text=Continue as a guest");
    await watcher.online();
    return watcher;
  }

  /** Complaints that are the page's own fault. */
  get faults(): string[] {
    return this.complaints.filter((text) => !NETWORK.test(text));
  }

  get facts(): Locator {
    return this.page.locator(".about-line");
  }

  /** Waits until the chat's line is up. */
  async online(): Promise<void> {
    await this.page.waitForFunction(() => document.querySelector(".chat .line")?.textContent === "");
  }

  message(text: string): Locator {
    return this.page.locator(".log li", { hasText: text });
  }

  /** Types into the chat and sends; does not wait for what becomes of it. */
  async say(text: string): Promise<void> {
    await this.page.fill(".chat .say input", text);
    await this.page.keyboard.press("Enter");
  }

  /** Says something and waits until the service has it. */
  async deliver(text: string): Promise<void> {
    await this.say(text);
    await this.message(text).locator(".delivered").waitFor();
  }

  /** A moderator's button at a message, which shows when the message is looked at. */
  async act(text: string, button: "Delete" | "Mute"): Promise<void> {
    await this.message(text).hover();
    await this.message(text).locator("button", { hasText: button }).click();
  }

  token(): Promise<string> {
    return this.page.evaluate(() => {
      const kept = sessionStorage.getItem("roomcast.session") ?? localStorage.getItem("roomcast.session");
      return kept ? String(JSON.parse(kept).token) : "";
    });
  }
}
