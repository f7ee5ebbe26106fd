import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";

/** As the platform serves it, `_headers` included. */
const page = (path: string) => env.ASSETS.fetch(`http://localhost:8787${path}`);

const LIVE = ["main", "list", "stream", "stage", "chat", "chat-view", "message", "moderation", "recordings", "studio"];
const SCRIPTS = [
  ...[
    "/theme.js",
    "/dom.js",
    "/api.js",
    "/socket.js",
    "/home.js",
    "/docs/docs.js",
    "/docs/schema.js",
    "/docs/endpoint.js",
  ],
  ...[...LIVE, "dialogs", "sign-in", "media-server", "words"].map((name) => `/live/${name}.js`),
];

describe("pages", () => {
  it.each(["/", "/docs/", "/live", "/style.css", "/icon.svg", ...SCRIPTS])(
    "%s comes with headers that let nothing foreign run",
    async (path) => {
      const response = await page(path);
      await response.body?.cancel();
      expect([path, response.status]).toEqual([path, 200]);
      const policy = response.headers.get("Content-Security-Policy") ?? "";
      expect(policy).toContain("default-src 'self'");
      expect(policy).toContain("frame-ancestors 'none'");
      expect(policy).not.toMatch(/unsafe|script-src|\*/);
      expect(response.headers.get("X-Content-Type-Options")).toBe("nosniff");
      expect(response.headers.get("Referrer-Policy")).toBe("no-referrer");
    },
  );

  it.each(["/", "/docs/", "/live"])(
    "%s has no script or style of its own inside, and loads nothing foreign",
    async (path) => {
      const html = await (await page(path)).text();
      expect(html).toContain("<title>Roomcast");
      expect(html).not.toMatch(/<script(?![^>]*\ssrc=)|<style|\sstyle=|\son\w+=|(src|href)="(https?:)?\/\//i);
    },
  );

  it.each(["/", "/docs/", "/live"])("what %s loads is there", async (path) => {
    const html = await (await page(path)).text();
    const loaded = [...html.matchAll(/<(?:script|link)[^>]*(?:src|href)="([^"]+)"/g)].flatMap(([, url]) => url ?? []);
    expect(loaded.length).toBeGreaterThan(3);
    for (const url of loaded) {
      const response = await page(url);
      await response.body?.cancel();
      expect([url, response.status]).toEqual([url, 200]);
    }
  });

  it.each(SCRIPTS)("%s never turns text into markup, and what it imports is there", async (path) => {
    const script = await (await page(path)).text();
    expect(script).not.toMatch(/innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(/);
    for (const [, imported = ""] of script.matchAll(/from "([./][^"]+)"/g)) {
      const url = new URL(imported, `http://localhost:8787${path}`).pathname;
      const response = await page(url);
      await response.body?.cancel();
      expect([url, response.status]).toEqual([url, 200]);
    }
  });
});
