import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import { AUDIT_ACTIONS, AUDIT_TARGETS } from "../src/audit-terms.ts";
import { WebhookEventType } from "../src/features/webhooks/contract.ts";
import { SCOPES } from "../src/scopes.ts";

const ACCOUNT = ["/account", ...["sign-up", "forgot", "reset", "verify", "provider"].map((name) => `/account/${name}`)];
const PAGES = ["/", "/docs/", "/live", "/call", "/admin", ...ACCOUNT];
const ORIGIN = "http://localhost:8787";

type Served = { status: number; headers: Headers; text: string };

/** As the platform serves it, `_headers` included. */
async function page(path: string): Promise<Served> {
  const response = await env.ASSETS.fetch(`${ORIGIN}${path}`);
  return { status: response.status, headers: response.headers, text: await response.text() };
}

/** What a file loads: scripts, style sheets and pictures of a page, imports of a script or a sheet. */
const LOADS: Record<string, RegExp> = {
  html: /<(?:script|link)[^>]*(?:src|href)="([^"]+)"/g,
  js: /\bfrom "([./][^"]+)"/g,
  css: /@import url\("([^"]+)"\)/g,
};

const kindOf = (path: string): string => /\.(js|css|svg)$/.exec(path)?.[1] ?? "html";

/** Every file that somebody who opens all pages is served, by its path. */
const files = new Map<string, Served>();

async function follow(path: string): Promise<void> {
  if (files.has(path)) return;
  const served = await page(path);
  files.set(path, served);
  for (const [, loaded = ""] of served.text.matchAll(LOADS[kindOf(path)] ?? /(?!)/g)) {
    await follow(new URL(loaded, `${ORIGIN}${path}`).pathname);
  }
}

const ofKind = (kind: string): [string, string][] =>
  [...files].filter(([path]) => kindOf(path) === kind).map(([path, { text }]) => [path, text]);

/** The files of a kind in which something is written. */
const filesWith = (kind: string, pattern: RegExp): string[] =>
  ofKind(kind)
    .filter(([, text]) => pattern.test(text))
    .map(([path]) => path);

describe("pages", () => {
  beforeAll(async () => {
    for (const path of PAGES) await follow(path);
  });

  it("all that they load is there, with headers that let nothing foreign run", () => {
    expect(files.size).toBeGreaterThan(50);
    for (const [path, { status, headers }] of files) {
      expect([path, status]).toEqual([path, 200]);
      const policy = headers.get("Content-Security-Policy") ?? "";
      expect(policy).toContain("default-src 'self'");
      expect(policy).toContain("frame-ancestors 'none'");
      expect(policy).not.toMatch(/unsafe|\*/);
      if (path !== "/admin") expect(policy).not.toContain("script-src");
      expect(headers.get("X-Content-Type-Options")).toBe("nosniff");
      expect(headers.get("Referrer-Policy")).toBe("no-referrer");
    }
  });

  it("/admin is let even less", async () => {
    expect((await page("/admin")).headers.get("Content-Security-Policy")).toContain("default-src 'none'");
  });

  it.each(PAGES)("%s has no script or style of its own inside, and loads nothing foreign", (path) => {
    const html = files.get(path)?.text ?? "";
    expect(html).toContain("<title>Roomcast");
    expect(html).not.toMatch(/<script(?![^>]*\ssrc=)|<style|\sstyle=|\son\w+=|(src|href)="(https?:)?\/\//i);
  });

  it.each(PAGES)("%s has the one style sheet and the one header", (path) => {
    const html = files.get(path)?.text ?? "";
    for (const part of [
      '<link rel="stylesheet" href="/style.css" />',
      '<script src="/ui/header.js" type="module">',
      '<header class="bar" id="header"></header>',
      '<main id="main"',
    ]) {
      expect(html).toContain(part);
    }
  });

  it("no script turns text into markup", () => {
    expect(filesWith("js", /innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(/)).toEqual([]);
  });

  it("they have one session, one way to the API and one socket", () => {
    expect(filesWith("js", /roomcast\.session/)).toEqual(["/session.js"]);
    expect(filesWith("js", /\bfetch\(/)).toEqual(["/api.js"]);
    expect(filesWith("js", /new WebSocket\(/)).toEqual([]);
    expect(filesWith("js", /"\/client\/socket\.js"/)).toEqual(["/page-socket.js"]);
  });

  it("the dashboard offers every scope, every event and every word of the audit that there is, and no other", () => {
    const [, scopes = "", events = "", actions = "", targets = ""] =
      files.get("/admin/vocabulary.js")?.text.split("export const ") ?? [];
    const words = (list: string) => [...list.matchAll(/"(\w+)",/g)].map(([, word]) => word);
    expect([...scopes.matchAll(/\["(\w+)"/g)].map(([, scope]) => scope)).toEqual([...SCOPES]);
    expect([...events.matchAll(/"(\w+\.\w+)"/g)].map(([, type]) => type)).toEqual(WebhookEventType.options);
    expect(words(actions)).toEqual([...AUDIT_ACTIONS]);
    expect(words(targets)).toEqual([...AUDIT_TARGETS]);
  });

  it("all colours are tokens, so that each is there for light and for dark", () => {
    expect(filesWith("css", /:[^;{]*(#[0-9a-f]{3,8}\b|\brgb\(|\bhsl\()/i)).toEqual(["/style/tokens.css"]);
  });
});
