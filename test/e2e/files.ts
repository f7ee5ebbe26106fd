/**
 * What only a server on a real network shows: `npm run test:files`. tus-js-client, unmodified, over connections that break and
 * a server that dies; clients that go away in the middle of a form; a browser that opens an SVG with a script.
 */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { connect } from "node:net";
import { after, before, describe, it } from "node:test";
import * as tus from "tus-js-client";
import { z } from "zod";
import { isChromiumHere, launch } from "./browser.ts";
import { Server, type User } from "./restartable-server.ts";

const MB = 1024 * 1024;

const Uploaded = z.object({ data: z.object({ url: z.url() }) });

const server = new Server(Number(process.env.E2E_PORT ?? 8850));
let user: User;
before(async () => {
  await server.start();
  user = await server.mintUser();
});
after(() => server.close());

/** A file that begins as MP4, with no two stretches alike. */
const content = (size: number): Buffer => {
  const bytes = Buffer.alloc(size);
  for (let at = 0; at < size; at += 1) bytes[at] = (at * 31 + (at >> 8) + (at >> 16)) % 251;
  bytes.set(Buffer.from("000000186674797069736f6d", "hex"));
  return bytes;
};
const hash = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

const until = async (what: string, isSo: () => boolean | Promise<boolean>): Promise<void> => {
  for (let attempt = 0; attempt < 400; attempt += 1) {
    if (await isSo()) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  assert.fail(`Waited in vain for ${what}`);
};

describe("tus-js-client", () => {
  type Interruption = { after: number; by: () => Promise<void> | void };

  /** Uploads, and is interrupted once as many bytes have been accepted as each interruption says. */
  const upload = (bytes: Buffer, chunkSize: number, interruptions: Interruption[]) =>
    new Promise<string>((resolve, reject) => {
      const client = new tus.Upload(bytes, {
        endpoint: `${server.origin}/api/v1/files/tus`,
        headers: { Authorization: `Bearer ${user.token}` },
        metadata: { filename: "film.mp4", filetype: "video/mp4", folder: "films" },
        chunkSize,
        retryDelays: [0, 500, 1000, 2000, 3000, 5000],
        onError: reject,
        onSuccess: () => resolve(client.url ?? ""),
        onProgress: (sent) => {
          const [next] = interruptions;
          if (!next || sent < next.after) return;
          interruptions.shift();
          void client
            .abort()
            .then(() => next.by())
            .then(() => client.start(), reject);
        },
      });
      client.start();
    });

  const expectWhole = async (url: string, bytes: Buffer): Promise<void> => {
    const id = url.split("/").at(-1);
    const [file] = server.query(
      "d1",
      `SELECT f.folder, f.name, f.sha256, f.key FROM resumable_uploads r JOIN files f ON f.id = r.file_id WHERE r.id = '${id}'`,
    );
    assert.equal(file?.sha256, hash(bytes));
    const response = await fetch(`${server.origin}/api/v1/files/download/${file?.folder}/${file?.name}`, {
      headers: { Authorization: `Bearer ${user.token}` },
    });
    assert.equal(hash(new Uint8Array(await response.arrayBuffer())), hash(bytes));
    assert.deepEqual(
      server.query("r2", `SELECT key FROM _mf_objects WHERE key LIKE '${file?.key}%'`).map((row) => row.key),
      [file?.key],
    );
  };

  it("uploads in one PATCH", async () => {
    const bytes = content(3 * MB);
    await expectWhole(await upload(bytes, Number.POSITIVE_INFINITY, []), bytes);
  });

  for (const chunkSize of [700_001, 5 * MB, Number.POSITIVE_INFINITY]) {
    it(`is interrupted at random points and resumes, ${chunkSize} bytes a PATCH`, async () => {
      const bytes = content(21 * MB + 12_345);
      const points = Array.from({ length: 5 }, () => Math.floor(Math.random() * bytes.length)).sort((a, b) => a - b);
      const url = await upload(
        bytes,
        chunkSize,
        points.map((after) => ({ after, by: () => {} })),
      );
      await expectWhole(url, bytes);
    });
  }

  it("goes on after the server has died and come back", async () => {
    const bytes = content(21 * MB);
    const crash = async () => {
      await server.kill();
      await server.start();
    };
    await expectWhole(await upload(bytes, 3 * MB, [{ after: 12 * MB, by: crash }]), bytes);
  });

  it("terminates an upload", async () => {
    const bytes = content(9 * MB);
    let client: tus.Upload | undefined;
    await new Promise<void>((resolve, reject) => {
      client = new tus.Upload(bytes, {
        endpoint: `${server.origin}/api/v1/files/tus`,
        headers: { Authorization: `Bearer ${user.token}` },
        metadata: { filename: "film.mp4" },
        chunkSize: MB,
        onError: reject,
        onChunkComplete: () => resolve(),
      });
      client.start();
    });
    await client?.abort(true);
    const answer = await fetch(client?.url ?? "", {
      method: "HEAD",
      headers: { Authorization: `Bearer ${user.token}`, "Tus-Resumable": "1.0.0" },
    });
    assert.equal(answer.status, 404);
  });
});

describe("a client that goes away in the middle of a form", () => {
  const leftovers = () => ({
    objects: server.query("r2", "SELECT key FROM _mf_objects ORDER BY key"),
    unfinished: server.query("r2", "SELECT upload_id FROM _mf_multipart_uploads WHERE state = 0"),
    files: server.query("d1", "SELECT id FROM files ORDER BY id"),
    uploads: server.query("d1", "SELECT key FROM uploads"),
  });

  for (const size of [100_000, 12 * MB]) {
    it(`after ${size} bytes leaves no row and no object`, async () => {
      await until("earlier uploads to end", () => leftovers().uploads.length === 0);
      const before = leftovers();
      const socket = connect({ host: "127.0.0.1", port: Number(new URL(server.origin).port) });
      const head = '--b\r\nContent-Disposition: form-data; name="file"; filename="a.mp4"\r\n\r\n';
      socket.write(
        `POST /api/v1/files/upload HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${user.token}\r\n` +
          `Content-Type: multipart/form-data; boundary=b\r\nContent-Length: ${size * 2}\r\n\r\n${head}`,
      );
      await new Promise<void>((resolve) => socket.write(content(size), () => resolve()));
      // A part is on its way: the record of it is there.
      if (size > 8 * MB) await until("the first part", () => leftovers().uploads.length === 1);
      socket.destroy();
      await until("the cleaning up", () => leftovers().uploads.length === 0);
      assert.deepEqual(leftovers(), before);
    });
  }
});

describe("an SVG with a script", { skip: isChromiumHere() ? false : "Chromium is not installed" }, () => {
  /** Says in its own title, and to our origin, that it ran. */
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9" onload="document.title='ran'">
    <title>quiet</title><script>document.title='ran'; fetch('/api/v1/ran')</script><rect width="9" height="9" fill="red"/></svg>`;

  it("opens in a browser, and its script does not run", async () => {
    const form = new FormData();
    form.append("visibility", "public");
    form.append("file", new File([svg], "drawing.svg"));
    const uploaded = await fetch(`${server.origin}/api/v1/files/upload`, {
      method: "POST",
      headers: { Authorization: `Bearer ${user.token}` },
      body: form,
    });
    const { data } = Uploaded.parse(await uploaded.json());
    const browser = await launch();
    try {
      const page = await browser.newPage();
      const requested: string[] = [];
      page.on("request", (request) => requested.push(new URL(request.url()).pathname));
      // The same drawing without our headers does run: the test can fail.
      await page.route("**/unguarded.svg", (route) => route.fulfill({ contentType: "image/svg+xml", body: svg }));
      await page.goto(`${server.origin}/unguarded.svg`);
      assert.equal(await page.title(), "ran");

      await page.goto(data.url);
      assert.equal(await page.title(), "quiet");
      assert.equal(await page.locator("rect").count(), 1);

      const embedding = `<img src="${data.url}"><iframe src="${data.url}"></iframe>`;
      await page.route("**/embedding.html", (route) => route.fulfill({ contentType: "text/html", body: embedding }));
      await page.goto(`${server.origin}/embedding.html`);
      assert.equal(
        await page.locator("img").evaluate((image) => (image instanceof HTMLImageElement ? image.naturalWidth : 0)),
        9,
      );
      const frame = page.frames().find((each) => each.url().endsWith(data.url));
      assert.equal(await frame?.title(), "quiet");
      assert.equal(requested.filter((path) => path === "/api/v1/ran").length, 1);
    } finally {
      await browser.close();
    }
  });
});
