/** tus 1.0, header by header: making an upload, and resuming it. tus-js-client itself is in test/e2e. */
import { evictAllDurableObjects } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { PART_BYTES } from "../src/bytes/parts.ts";
import { ORIGIN, worker } from "./support/api.ts";
import { sample } from "./support/samples.ts";
import {
  base64,
  bob,
  create,
  fileOf,
  gif,
  hash,
  leftIn,
  metadata,
  offsetOf,
  patch,
  rowOf,
  tus,
} from "./support/tus.ts";

const pendingErasures = async (key: string): Promise<number | null> =>
  env.DB.prepare("SELECT count(*) AS count FROM outbox WHERE target LIKE ?").bind(`file:${key}%`).first("count");

describe("tus", () => {
  it("says what it can do", async () => {
    const { status, headers } = await worker.fetch(`${ORIGIN}/api/v1/files/tus`, { method: "OPTIONS" });
    expect(status).toBe(204);
    expect(
      Object.fromEntries(
        ["resumable", "version", "extension", "max-size", "checksum-algorithm"].map((name) => [
          name,
          headers.get(`tus-${name}`),
        ]),
      ),
    ).toEqual({
      resumable: "1.0.0",
      version: "1.0.0",
      extension: "creation,termination,expiration,checksum",
      "max-size": String(500 * 1024 * 1024),
      "checksum-algorithm": "sha1,sha256,md5",
    });
  });

  it("lets pages of allowed origins read its headers", async () => {
    const { headers } = await tus("", "OPTIONS", {
      Origin: "http://localhost:3000",
      "Access-Control-Request-Method": "PATCH",
      // A browser names what the page wants to send.
      "Access-Control-Request-Headers": "tus-resumable,upload-offset",
    });
    expect(headers.get("access-control-allow-methods")).toContain("PATCH");
    expect(headers.get("access-control-allow-headers")).toContain("upload-offset");
    const made = await tus("", "POST", {
      Origin: "http://localhost:3000",
      "Upload-Length": "10",
      "Upload-Metadata": metadata({ filename: "a.gif" }),
    });
    expect(made.headers.get("access-control-expose-headers")).toContain("Location");
  });

  it("speaks no other version", async () => {
    const answer = await tus("", "POST", { "Tus-Resumable": "0.2.2", "Upload-Length": "10" });
    expect([answer.status, answer.headers.get("tus-version")]).toEqual([412, "1.0.0"]);
  });

  it("makes an upload, takes it in pieces, and makes a file of it", async () => {
    const content = gif(1000);
    const { status, location, headers } = await create(1000, {
      filename: "Übung.gif",
      filetype: "image/gif",
      folder: "course-1",
      category: "image",
      visibility: "public",
    });
    expect(status).toBe(201);
    expect(headers.get("tus-resumable")).toBe("1.0.0");
    expect(Date.parse(headers.get("upload-expires") ?? "")).toBeGreaterThan(Date.now());
    for (const [from, to] of [
      [0, 1],
      [1, 2],
      [2, 700],
      [700, 1000],
    ] as const) {
      const answer = await patch(location, from, content.slice(from, to));
      expect([answer.status, answer.headers.get("upload-offset")]).toEqual([204, String(to)]);
      expect(answer.headers.has("upload-file-id")).toBe(to === 1000);
    }
    const asked = await tus(location, "HEAD");
    expect([asked.status, asked.headers.get("upload-offset"), asked.headers.get("upload-length")]).toEqual([
      200,
      "1000",
      "1000",
    ]);
    expect(asked.headers.get("cache-control")).toBe("no-store");
    expect(asked.headers.get("upload-metadata")).toContain(`filename ${base64("Übung.gif")}`);
    const file = await fileOf(location);
    expect(asked.headers.get("upload-file-id")).toBe(file.id);
    expect(file).toMatchObject({ size: 1000, folder: "course-1", visibility: "public", original_name: "Übung.gif" });
    expect(file.bytes).toEqual(content);
    expect(file.sha256).toBe((await hash(content)).toHex());
    expect(await leftIn(file.key)).toEqual([file.key]);
  });

  it.each([
    [[PART_BYTES - 1, 1]],
    [[PART_BYTES, 1]],
    [[PART_BYTES + 1, PART_BYTES - 1]],
    [[3_000_001, 3_000_001, 3_000_001]],
    [[1, PART_BYTES, 17]],
  ])("cuts equal parts out of PATCHes of %j bytes", async (sizes) => {
    const length = sizes.reduce((sum, size) => sum + size, 0);
    // Images end at 10 MB.
    const content = gif(length);
    content.set(sample("mp4"));
    const { location } = await create(length, { filename: "a.mp4" });
    let at = 0;
    for (const size of sizes) {
      expect((await patch(location, at, content.slice(at, at + size))).status).toBe(204);
      at += size;
      // Nothing that an instance remembers may be needed.
      await evictAllDurableObjects();
    }
    const file = await fileOf(location);
    expect([file.size, file.sha256]).toEqual([length, (await hash(content)).toHex()]);
    expect((await hash(file.bytes)).toHex()).toBe(file.sha256);
    expect(await leftIn(file.key)).toEqual([file.key]);
  });

  it("refuses another offset, and tells the right one", async () => {
    const content = gif(100);
    const { location } = await create(100);
    await patch(location, 0, content.slice(0, 50));
    for (const wrong of [0, 49, 51, 100]) expect((await patch(location, wrong, content.slice(50))).status).toBe(409);
    expect(await offsetOf(location)).toBe(50);
    expect((await patch(location, 50, content.slice(50))).status).toBe(204);
    expect((await patch(location, 100, new Uint8Array())).status).toBe(409);
    expect((await fileOf(location)).bytes).toEqual(content);
  });

  it("lets two PATCHes at once corrupt nothing: one counts", async () => {
    const content = gif(200_000);
    const { location } = await create(200_000);
    const answers = await Promise.all([1, 2, 3].map(() => patch(location, 0, content.slice(0, 100_000))));
    expect(answers.map((answer) => answer.status).sort()).toEqual([204, 409, 409]);
    expect(await offsetOf(location)).toBe(100_000);
    await patch(location, 100_000, content.slice(100_000));
    expect((await fileOf(location)).bytes).toEqual(content);
  });

  it("takes a lock over when its lease has run out, as after a crash", async () => {
    const content = gif(100);
    const { location } = await create(100);
    const row = await rowOf(location);
    await env.DB.prepare("UPDATE resumable_uploads SET locked_by = 'dead', locked_until = ? WHERE id = ?")
      .bind(Date.now() + 600, row?.id)
      .run();
    expect((await patch(location, 0, content)).status).toBe(204);
  });

  it("finishes at the next HEAD what a crash kept from becoming a file", async () => {
    const content = gif(100);
    const { location } = await create(100);
    const row = await rowOf(location);
    // As the PATCH leaves it between writing down the last byte and making the file.
    await env.FILES.put(`${row?.key}.tail-1`, content);
    await env.DB.prepare("UPDATE resumable_uploads SET offset = 100, tail_place = 1 WHERE id = ?").bind(row?.id).run();
    expect(await offsetOf(location)).toBe(100);
    expect((await fileOf(location)).bytes).toEqual(content);
  });

  it("keeps what came before a connection broke", async () => {
    const content = gif(100_000);
    const { location } = await create(100_000);
    let sent = 0;
    const breaking = new ReadableStream<Uint8Array>({
      pull(controller) {
        if (sent >= 40_000) return controller.error(new Error("gone"));
        controller.enqueue(content.slice(sent, sent + 10_000));
        sent += 10_000;
      },
    });
    await patch(location, 0, breaking).catch(() => {});
    const reached = await offsetOf(location);
    expect(reached).toBeGreaterThan(0);
    expect(reached).toBeLessThanOrEqual(40_000);
    expect((await patch(location, reached, content.slice(reached))).status).toBe(204);
    expect((await fileOf(location)).bytes).toEqual(content);
  });

  it.each([
    ["a tail", 100_000],
    ["the whole file", 50_000],
  ])("that was terminated keeps nothing of a PATCH under way: %s", async (_what, sent) => {
    const content = gif(sent);
    const { location } = await create(sent === 50_000 ? sent : 10 * 1024 * 1024);
    const { key = "" } = (await rowOf(location)) ?? {};
    let at = 0;
    const body = new ReadableStream<Uint8Array>({
      async pull(controller) {
        if (at === content.length) return controller.close();
        if (at > 0) {
          expect((await tus(location, "DELETE")).status).toBe(204);
          // What termination itself erases is gone: all that comes to be stored from now on is the PATCH's.
          await expect.poll(() => pendingErasures(key)).toBe(0);
        }
        const next = at === 0 ? 10_000 : content.length;
        controller.enqueue(content.slice(at, next));
        at = next;
      },
    });
    expect((await patch(location, 0, body)).status).toBe(409);
    await expect.poll(() => pendingErasures(key)).toBe(0);
    expect(await leftIn(key)).toEqual([]);
  });

  it("takes no more bytes than were announced", async () => {
    const { location } = await create(100);
    expect((await patch(location, 0, gif(101))).status).toBe(413);
    expect((await patch(location, 0, gif(100), { "Content-Type": "text/plain" })).status).toBe(415);
  });

  it("is for its owner alone", async () => {
    const { location } = await create(100);
    const by = (method: string, user: { token: string }) =>
      tus(
        location,
        method,
        { "Upload-Offset": "0", "Content-Type": "application/offset+octet-stream" },
        method === "PATCH" ? gif(100) : undefined,
        user,
      );
    for (const method of ["HEAD", "PATCH", "DELETE"]) {
      expect([method, (await by(method, bob)).status]).toEqual([method, 404]);
      expect([method, (await by(method, { token: "bad" })).status]).toEqual([method, 401]);
    }
    expect(await offsetOf(location)).toBe(0);
  });
});

describe("creation", () => {
  it.each<[what: string, status: number, length: string, fields: Record<string, string>]>([
    ["no length", 400, "", { filename: "a.gif" }],
    ["a length that is none", 400, "-1", { filename: "a.gif" }],
    ["no name", 400, "10", {}],
    ["dots as name", 400, "10", { filename: "a/.." }],
    ["a line break in the name", 400, "10", { filename: "a\r\n.gif" }],
    ["a folder above", 400, "10", { filename: "a.gif", folder: ".." }],
    ["no such visibility", 400, "10", { filename: "a.gif", visibility: "all" }],
    ["a type that is not taken", 415, "10", { filename: "a.exe" }],
    ["another category", 415, "10", { filename: "a.gif", category: "video" }],
    ["no bytes", 415, "0", { filename: "a.gif" }],
    ["too many bytes", 413, String(10 * 1024 * 1024 + 1), { filename: "a.gif" }],
  ])("with %s is %i", async (_what, status, length, fields) => {
    const answer = await tus("", "POST", { "Upload-Length": length, "Upload-Metadata": metadata(fields) });
    expect(answer.status).toBe(status);
    expect(answer.headers.get("location")).toBeNull();
  });

  it("with metadata that is no base64 is 400", async () => {
    const answer = await tus("", "POST", { "Upload-Length": "10", "Upload-Metadata": "filename !!!" });
    expect(answer.status).toBe(400);
  });
});

describe("content that is not what its name says", () => {
  it("ends the upload, and leaves nothing", async () => {
    const { location } = await create(100);
    const row = await rowOf(location);
    const answer = await patch(location, 0, new Uint8Array(new TextEncoder().encode("<html>".padEnd(100))));
    expect(answer.status).toBe(415);
    expect((await tus(location, "HEAD")).status).toBe(404);
    expect(await leftIn(row?.key ?? "")).toEqual([]);
    expect(await rowOf(location)).toBeNull();
  });

  it("is found out even when it comes byte by byte", async () => {
    const { location } = await create(3);
    expect((await patch(location, 0, new Uint8Array([71]))).status).toBe(204);
    expect((await patch(location, 1, new Uint8Array([0, 0]))).status).toBe(415);
    expect((await tus(location, "HEAD")).status).toBe(404);
  });
});
