/** One person in front of the messenger, in a browser profile of their own. */
import { mkdirSync } from "node:fs";
import type { Browser, Locator, Page } from "playwright-core";
import { freeze, wake } from "./lifecycle.ts";

const PASSWORD = "correct horse";
const DESKTOP = { width: 1280, height: 800 };
const PHONE = { width: 390, height: 844 };

/**
 * What a browser says by itself of a network that the test has cut, and of what the service refuses on purpose: a wrong password,
 * a wrong file, a picture's old link after somebody has left the room.
 */
const EXPECTED = /net::ERR_INTERNET_DISCONNECTED|status of (401|403|415)|WebSocket connection to .* failed/;

export class Talker {
  readonly page: Page;
  readonly name: string;
  /** What the page could not do: errors, and violations of its content security policy. */
  readonly complaints: string[] = [];

  private constructor(page: Page, name: string) {
    this.page = page;
    this.name = name;
    page.on("pageerror", (error) => this.complaints.push(String(error)));
    page.on("console", (message) => {
      if (message.type() === "error" && !EXPECTED.test(message.text())) this.complaints.push(message.text());
    });
  }

  static async open(browser: Browser, url: string, name: string): Promise<Talker> {
    const context = await browser.newContext({ viewport: DESKTOP });
    context.setDefaultTimeout(15_000);
    const talker = new Talker(await context.newPage(), name);
    await talker.page.goto(url);
    return talker;
  }

  async signIn(username: string, password: string): Promise<void> {
    await this.page.fill("[name=username]", username);
    await this.page.fill("[name=password]", password);
    await this.page.keyboard.press("Enter");
  }

  async signUp(): Promise<void> {
    await this.page.click(".ways >> text=Make an account");
    await this.page.fill("[name=email]", `${this.name}@example.com`);
    await this.signIn(this.name, PASSWORD);
    await this.page.locator(".rooms").waitFor();
  }

  async makeGroup(title: string, member: string): Promise<void> {
    const { page } = this;
    await page.click("[aria-label='New conversation']");
    await page.click("dialog >> text=Make a group");
    await page.getByLabel("Name of the group").fill(title);
    await page.getByLabel("Add people").fill(member);
    await page.locator("dialog .people button", { hasText: `@${member}` }).click();
    await page.locator("dialog .chips", { hasText: member }).waitFor();
    await page.click("dialog [type=submit]");
    await page.locator(".who", { hasText: title }).waitFor();
  }

  async messagePerson(username: string): Promise<void> {
    const { page } = this;
    await page.click("[aria-label='New conversation']");
    await page.getByLabel("Who?").fill(username);
    await page.locator("dialog .people button", { hasText: `@${username}` }).click();
    await page.locator(".who", { hasText: username }).waitFor();
  }

  async openRoom(title: string): Promise<void> {
    await this.room(title).click({ timeout: 30_000 });
    await this.page.locator(".who", { hasText: title }).waitFor();
    await this.page.getByRole("textbox", { name: "Message" }).waitFor();
  }

  /** In the list at the side. */
  room(title: string): Locator {
    const named = this.page.locator(".title").getByText(title, { exact: true });
    return this.page.locator(".rooms a").filter({ has: named });
  }

  message(text: string): Locator {
    return this.page.locator(".message", { hasText: text });
  }

  /** Writes; with `isSent`, and presses Enter. */
  async type(text: string, isSent = false): Promise<void> {
    await this.page.getByRole("textbox", { name: "Message" }).focus();
    await this.page.keyboard.type(text);
    if (isSent) await this.page.keyboard.press("Enter");
  }

  async say(text: string): Promise<void> {
    await this.type(text, true);
    await this.page.locator(".message.sent", { hasText: text }).waitFor();
  }

  async untilSent(text: string, count: number): Promise<void> {
    await this.page.waitForFunction(
      ([wanted, many]) =>
        [...document.querySelectorAll(".message.sent")].filter((one) => one.textContent?.includes(String(wanted)))
          .length === many,
      [text, count] as const,
    );
    // None of them twice, in whatever state.
    const all = await this.message(text).count();
    if (all !== count) throw new Error(`${all} messages where ${count} were written.`);
  }

  contents(text: string): Promise<string[]> {
    return this.message(text).locator(".prose").allTextContents();
  }

  /** The tab freezes. */
  sleep(): Promise<void> {
    return freeze(this.page);
  }

  /** Wakes the tab and waits for a message. @returns how long that took, ms */
  async wakeUntil(text: string): Promise<number> {
    const wokenAt = performance.now();
    await wake(this.page);
    await this.message(text).waitFor();
    return performance.now() - wokenAt;
  }

  /** Something to look at. */
  async picture(): Promise<Buffer> {
    const bytes = await this.page.evaluate(async () => {
      const canvas = new OffscreenCanvas(640, 400);
      const pen = canvas.getContext("2d");
      if (pen) {
        const sky = pen.createLinearGradient(0, 0, 0, 400);
        sky.addColorStop(0, "#27406e");
        sky.addColorStop(0.6, "#f2a65a");
        sky.addColorStop(0.61, "#1d3b53");
        pen.fillStyle = sky;
        pen.fillRect(0, 0, 640, 400);
        pen.fillStyle = "#ffe3b0";
        pen.arc(460, 200, 36, 0, 7);
        pen.fill();
      }
      return [...new Uint8Array(await (await canvas.convertToBlob()).arrayBuffer())];
    });
    return Buffer.from(bytes);
  }

  /** As wide as a desk and as a phone, light and dark. */
  async shoot(path: string): Promise<void> {
    mkdirSync(path.replace(/[^/]+$/, ""), { recursive: true });
    for (const [width, size] of Object.entries({ desktop: DESKTOP, phone: PHONE })) {
      await this.page.setViewportSize(size);
      for (const colorScheme of ["light", "dark"] as const) {
        await this.page.emulateMedia({ colorScheme });
        await this.page.screenshot({ path: `${path}-${width}-${colorScheme}.png` });
      }
    }
    await this.page.emulateMedia({ colorScheme: "light" });
    await this.page.setViewportSize(DESKTOP);
  }
}
