/** An admin in front of the dashboard, in a browser profile of their own, and the people whom they watch over. */
import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Browser, Locator, Page } from "playwright-core";
import type { Server } from "../server.ts";

export const DESKTOP = { width: 1360, height: 900 };
export const PHONE = { width: 390, height: 844 };
export const PASSWORD = "correct horse";
const PATIENCE_MS = 10_000;

type Account = { id: number; token: string };
/** `boss` is the admin, `victim` gets banned, `nobody` is signed out. */
type People = { boss: Account; victim: Account; nobody: Account };

async function register(server: Server, username: string): Promise<Account> {
  const body = { username, email: `${username}@example.com`, password: PASSWORD };
  const answer = await server.call("/auth/register", { method: "POST", body });
  assert.equal(answer.status, 201);
  return { id: answer.body.user.id, token: answer.body.token };
}

export const registerPeople = async (server: Server): Promise<People> => ({
  boss: await register(server, "boss"),
  victim: await register(server, "victim"),
  nobody: await register(server, "nobody"),
});

/** Names of the statistics that a page asks for from now on, as it goes on asking. */
export function statisticsAskedBy(page: Page): string[] {
  const asked: string[] = [];
  page.on("request", (request) => {
    if (request.url().includes("/stats/")) asked.push(new URL(request.url()).pathname.split("/").at(-1) ?? "");
  });
  return asked;
}

/** What some places show, as numbers. */
export const numbersIn = async (places: Locator): Promise<number[]> =>
  (await places.allTextContents()).map((text) => Number(text.replaceAll(",", "")));

/** Opens a user's event socket; `closed` resolves with the code it closes with. */
export function openSocket(server: Server, { token }: Account): { opened: Promise<void>; closed: Promise<number> } {
  const socket = new WebSocket(`${server.origin.replace("http", "ws")}/api/v1/ws?token=${token}`);
  return {
    opened: new Promise((resolve) => socket.addEventListener("message", () => resolve(), { once: true })),
    closed: new Promise((resolve) => socket.addEventListener("close", (event) => resolve(event.code))),
  };
}

export class Admin {
  readonly page: Page;
  readonly server: Server;
  readonly people: People;
  /** What the page could not do: errors and violations of its content security policy. */
  readonly complaints: string[] = [];
  readonly statisticsAsked: string[];
  readonly #screenshots: string | undefined;

  private constructor(page: Page, server: Server, people: People, screenshots: string | undefined) {
    this.page = page;
    this.server = server;
    this.people = people;
    this.#screenshots = screenshots;
    this.statisticsAsked = statisticsAskedBy(page);
    page.on("pageerror", (error) => this.complaints.push(String(error)));
    page.on("console", (message) => {
      // The browser itself reports every failed request; those are wanted here.
      const isRequest = message.text().includes("Failed to load resource");
      if (message.type() === "error" && !isRequest) this.complaints.push(message.text());
    });
  }

  /** `screenshots`: the folder that they go into; none are taken without it. */
  static async open(browser: Browser, server: Server, people: People, screenshots?: string): Promise<Admin> {
    const context = await browser.newContext({ viewport: DESKTOP, locale: "en-GB", timezoneId: "UTC" });
    const page = await context.newPage();
    page.setDefaultTimeout(PATIENCE_MS);
    return new Admin(page, server, people, screenshots);
  }

  async logIn(username: string, password: string): Promise<void> {
    await this.page.fill("[name=username]", username);
    await this.page.keyboard.press("Tab");
    await this.page.keyboard.type(password);
    await this.page.keyboard.press("Enter");
  }

  /** Opens a section by its link, and waits until its records are there, or its charts. */
  async go(section: string): Promise<void> {
    await this.page.click(`.side a[href="#${section}"]`);
    const title = `${section.charAt(0).toUpperCase()}${section.slice(1)}`;
    await this.page.waitForSelector(
      section === "overview" ? ".charts canvas" : `.records:has(h1:text-is("${title}")) td:nth-child(2)`,
    );
  }

  /** Answers the dialog that asks for a reason, and waits until it is told what was done. `shot`: a screenshot before. */
  async giveReason(reason: string, told: string, shot?: string): Promise<void> {
    await this.page.fill("dialog[open] textarea", reason);
    if (shot) await this.shoot(shot);
    await this.page.click("dialog[open] button[type=submit]");
    await this.page.waitForSelector(`text=${told}`);
  }

  async shoot(name: string): Promise<void> {
    if (!this.#screenshots) return;
    mkdirSync(this.#screenshots, { recursive: true });
    await this.page.screenshot({ path: join(this.#screenshots, `${name}.png`), fullPage: true });
  }
}
