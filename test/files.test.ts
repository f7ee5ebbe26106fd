import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { call, costOf, mintUser, ORIGIN, type TestUser, worker } from "./support/api.ts";
import { folderName, uploadNamed } from "./support/files.ts";
import { type Entry, form, SAMPLES, sample } from "./support/samples.ts";

const ann = await mintUser("ann");
const bob = await mintUser("bob");
const root = await mintUser("root");
await env.DB.prepare("UPDATE users SET role = 'admin' WHERE id = ?").bind(root.id).run();

type Options = { folder?: string; visibility?: string; filename?: string };
const upload = (by: TestUser, extension = "png", { filename = `picture.${extension}`, ...options }: Options = {}) =>
  uploadNamed(by, filename, { ...options, bytes: sample(extension) });

/** The bytes of a path, as they are. */
const fetchBytes = async (path: string, token?: string, headers: Record<string, string> = {}) => {
  const response = await worker.fetch(`${ORIGIN}${path}`, {
    headers: { ...(token ? { Authorization: `Bearer ${token}` } : {}), ...headers },
  });
  return { status: response.status, headers: response.headers, bytes: new Uint8Array(await response.arrayBuffer()) };
};

const at = (kind: string, file: { folder: string; name: string }) =>
  `/api/v1/files/${kind}/${file.folder}/${file.name}`;
const keyOf = async (id: string): Promise<string> =>
  (await env.DB.prepare("SELECT key FROM files WHERE id = ?").bind(id).first<{ key: string }>())?.key ?? "";
const hash = async (bytes: BufferSource) => new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();

describe("an upload", () => {
  it.each(Object.keys(SAMPLES))(
    "of .%s is taken, typed by its content, and comes back byte by byte",
    async (extension) => {
      const file = await upload(ann, extension);
      expect(file).toEqual({
        id: expect.any(String),
        folder: "general",
        name: expect.stringMatching(new RegExp(`\\.${extension}$`)),
        originalName: `picture.${extension}`,
        category: expect.any(String),
        mimeType: expect.not.stringContaining("html"),
        size: sample(extension).length,
        sha256: await hash(sample(extension)),
        visibility: "private",
        url: `${ORIGIN}/api/v1/files/view/general/${file.name}`,
        createdAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      });
      const { status, bytes, headers } = await fetchBytes(at("download", file), ann.token);
      expect(status).toBe(200);
      expect(bytes).toEqual(sample(extension));
      expect(headers.get("content-type")).toBe(file.mimeType);
      expect(headers.get("content-length")).toBe(String(file.size));
      expect(headers.get("x-content-type-options")).toBe("nosniff");
      expect(headers.get("content-disposition")).toContain("attachment");
    },
  );

  it("takes its fields before and after the file", async () => {
    const folder = folderName();
    expect(await upload(ann, "pdf", { folder, visibility: "public" })).toMatchObject({ folder, visibility: "public" });
    const { body } = await call("/files/upload", {
      method: "POST",
      token: ann.token,
      body: form(["file", sample("pdf"), "a.pdf"], ["category", "document"], ["folder", folder]),
    });
    expect(body).toMatchObject({ success: true, data: { folder, category: "document" } });
  });

  it("costs three round trips and the call that counts it, and leaves no record of itself", async () => {
    const answer = await call("/files/upload", {
      method: "POST",
      token: ann.token,
      body: form(["file", sample("gif"), "a.gif"]),
    });
    expect(answer.status).toBe(201);
    expect(costOf(answer)).toMatchObject({ d1_queries: 3, object_calls: 1 });
    const { n } = (await env.DB.prepare("SELECT count(*) AS n FROM uploads").first<{ n: number }>()) ?? { n: -1 };
    expect(n).toBe(0);
  });

  it("needs a token, a form and a file", async () => {
    const body = () => form(["file", sample("png"), "a.png"]);
    expect((await call("/files/upload", { method: "POST", body: body() })).status).toBe(401);
    expect((await call("/files/upload", { method: "POST", token: ann.token, body: {} })).status).toBe(415);
    const empty = await call("/files/upload", { method: "POST", token: ann.token, body: form(["folder", "x"]) });
    expect(empty.status).toBe(400);
    expect(empty.body.error.details).toEqual([{ path: "file", message: "is needed" }]);
  });

  it("shows its original name in any script, and the header stays one line", async () => {
    const file = await upload(ann, "png", { filename: 'Übung "1" – 文件.png' });
    expect(file.originalName).toBe('Übung "1" – 文件.png');
    const { headers } = await fetchBytes(at("download", file), ann.token);
    expect(headers.get("content-disposition")).toBe(
      `attachment; filename="_bung _1_ _ __.png"; filename*=UTF-8''%C3%9Cbung%20%221%22%20%E2%80%93%20%E6%96%87%E4%BB%B6.png`,
    );
  });
});

describe("many at once", () => {
  it("succeed and fail each by itself", async () => {
    const folder = folderName();
    const { status, body } = await call("/files/upload/multiple", {
      method: "POST",
      token: ann.token,
      body: form(
        ["files", sample("png"), "good.png"],
        ["files", sample("png"), "bad.exe"],
        ["files", sample("pdf"), "lie.png"],
        ["files", sample("pdf"), "also-good.pdf"],
        ["folder", folder],
      ),
    });
    expect(status).toBe(201);
    expect(body).toMatchObject({ success: true, data: { uploaded: 2, failed: 2 } });
    expect(body.data.results).toEqual([
      { success: true, originalName: "good.png", data: expect.objectContaining({ folder, category: "image" }) },
      { success: false, originalName: "bad.exe", error: expect.objectContaining({ code: "UNSUPPORTED_MEDIA_TYPE" }) },
      { success: false, originalName: "lie.png", error: expect.objectContaining({ code: "UNSUPPORTED_MEDIA_TYPE" }) },
      { success: true, originalName: "also-good.pdf", data: expect.objectContaining({ folder }) },
    ]);
    const list = await call(`/files/list/${folder}`, { token: ann.token });
    expect(list.body.data.files).toHaveLength(2);
  });

  it("are ten at most: an eleventh stores none", async () => {
    const folder = folderName();
    const eleven = Array.from({ length: 11 }, (_, n): Entry => ["files", sample("gif"), `${n}.gif`]);
    const { status } = await call("/files/upload/multiple", {
      method: "POST",
      token: ann.token,
      body: form(["folder", folder], ...eleven),
    });
    expect(status).toBe(400);
    expect((await call(`/files/list/${folder}`, { token: ann.token })).body.data.files).toEqual([]);
  });
});

describe("a private file", () => {
  it("is there for its owner and admins, and for nobody else", async () => {
    const file = await upload(ann);
    for (const kind of ["download", "view", "info"]) {
      const statusFor = async (token?: string) => (await fetchBytes(at(kind, file), token)).status;
      expect([kind, await statusFor(ann.token)]).toEqual([kind, 200]);
      expect([kind, await statusFor(root.token)]).toEqual([kind, 200]);
      expect([kind, await statusFor(bob.token)]).toEqual([kind, 404]);
      expect([kind, await statusFor()]).toEqual([kind, 401]);
    }
    // What does not exist looks the same.
    expect((await fetchBytes("/api/v1/files/info/general/none.png", bob.token)).status).toBe(404);
    expect((await fetchBytes("/api/v1/files/info/general/none.png")).status).toBe(401);
  });

  it("becomes nobody else's by acts on it", async () => {
    const file = await upload(ann);
    const { folder, name } = file;
    const relocate = { folder, file: name, targetFolder: "elsewhere" };
    const post = (path: string, body: object, token?: string) => call(path, { method: "POST", token, body });
    for (const [path, body] of [
      ["/files/move", relocate],
      ["/files/copy", relocate],
      ["/files/signed-url", { folder, file: name }],
    ] as const) {
      expect([path, (await post(path, body, bob.token)).status]).toEqual([path, 404]);
      expect([path, (await post(path, body)).status]).toEqual([path, 401]);
      expect([path, (await post(path, { ...body, folder: "../x" }, ann.token)).status]).toEqual([path, 400]);
    }
    expect((await call(`/files/${folder}/${name}`, { method: "DELETE", token: bob.token })).status).toBe(404);
    expect((await call(`/files/${folder}/${name}`, { method: "DELETE" })).status).toBe(401);
    expect((await call(`/files/info/${folder}/${name}`, { token: ann.token })).body.data).toEqual(file);
  });
});

describe("a public file", () => {
  it("opens without a token, and is still only its owner's to change", async () => {
    const file = await upload(ann, "png", { visibility: "public" });
    for (const kind of ["download", "view", "info"]) expect((await fetchBytes(at(kind, file))).status).toBe(200);
    expect((await fetchBytes(at("view", file))).headers.get("cache-control")).toBe("public, max-age=300");
    const gone = await call(`/files/${file.folder}/${file.name}`, { method: "DELETE", token: bob.token });
    expect(gone.status).toBe(403);
    const body = { folder: file.folder, file: file.name, targetFolder: "elsewhere" };
    for (const path of ["/files/move", "/files/signed-url"]) {
      expect([path, (await call(path, { method: "POST", token: bob.token, body })).status]).toEqual([path, 403]);
    }
    expect((await call(`/files/info/${file.folder}/${file.name}`)).body.data).toEqual(file);
  });

  it("that is SVG shows where no script can run; an archive is a download even as a view", async () => {
    const svg = await fetchBytes(at("view", await upload(ann, "svg", { visibility: "public" })));
    expect(svg.headers.get("content-type")).toBe("image/svg+xml");
    expect(svg.headers.get("content-disposition")).toContain("inline");
    expect(svg.headers.get("content-security-policy")).toMatch(/default-src 'none'.*sandbox;.*frame-ancestors \*/);
    expect(svg.headers.get("x-frame-options")).toBeNull();
    expect(svg.headers.get("cross-origin-resource-policy")).toBe("cross-origin");
    const info = await fetchBytes(at("info", await upload(ann, "svg", { visibility: "public" })));
    expect(info.headers.get("content-security-policy")).toContain("frame-ancestors 'none'");
    const zip = await fetchBytes(at("view", await upload(ann, "zip", { visibility: "public" })));
    expect(zip.headers.get("content-disposition")).toContain("attachment");
    expect(zip.headers.get("content-security-policy")).toContain("sandbox");
  });
});

describe("a folder", () => {
  it("lists what I may see, page by page, newest first", async () => {
    const folder = folderName();
    const mine = [await upload(ann, "png", { folder }), await upload(ann, "pdf", { folder })];
    const open = await upload(bob, "gif", { folder, visibility: "public" });
    await upload(bob, "gif", { folder });
    const list = async (token: string, query = "") =>
      (await call(`/files/list/${folder}${query}`, { token })).body.data;
    expect((await list(ann.token)).files).toEqual([open, mine[1], mine[0]]);
    expect(await list(ann.token, "?page=2&limit=2")).toEqual({
      folder,
      files: [mine[0]],
      pagination: { page: 2, limit: 2, total: 3, pages: 2 },
    });
    expect((await list(root.token)).pagination.total).toBe(4);
    expect((await call(`/files/list/${folder}?limit=0`, { token: ann.token })).status).toBe(400);
    expect((await call(`/files/list/${folder}`)).status).toBe(401);
  });

  it("has the size of what I may see in it", async () => {
    const folder = folderName();
    const [png, doc] = [await upload(ann, "png", { folder }), await upload(ann, "doc", { folder })];
    await upload(bob, "pdf", { folder });
    const { body } = await call(`/files/folder-size/${folder}`, { token: ann.token });
    expect(body).toEqual({ success: true, data: { folder, fileCount: 2, size: png.size + doc.size } });
    const empty = await call(`/files/folder-size/${folderName()}`, { token: ann.token });
    expect(empty.body.data).toMatchObject({ fileCount: 0, size: 0 });
    expect((await call("/files/folder-size/..%2Fx", { token: ann.token })).status).toBe(400);
    expect((await call(`/files/folder-size/${folder}`)).status).toBe(401);
  });
});

describe("statistics", () => {
  it("count my own files alone, by category and folder", async () => {
    const cat = await mintUser("cat");
    const [one, two] = [folderName(), folderName()];
    const png = await upload(cat, "png", { folder: one });
    const pdf = await upload(cat, "pdf", { folder: two });
    const { body } = await call("/files/statistics", { token: cat.token });
    expect(body.data).toMatchObject({
      totalFiles: 2,
      totalSize: png.size + pdf.size,
      byCategory: {
        image: { fileCount: 1, size: png.size },
        document: { fileCount: 1, size: pdf.size },
        video: { fileCount: 0, size: 0 },
      },
    });
    expect(body.data.byFolder).toHaveLength(2);
    const all = await call("/files/statistics", { token: root.token });
    expect(all.body.data.totalFiles).toBeGreaterThan(2);
    expect((await call("/files/statistics")).status).toBe(401);
  });
});

describe("moving and copying", () => {
  it("moves a file to another folder and name; the old place is empty", async () => {
    const file = await upload(ann);
    const target = folderName();
    const { status, body } = await call("/files/move", {
      method: "POST",
      token: ann.token,
      body: { folder: file.folder, file: file.name, targetFolder: target, targetFile: "renamed.png" },
    });
    expect(status).toBe(200);
    expect(body.data).toMatchObject({ id: file.id, folder: target, name: "renamed.png", sha256: file.sha256 });
    expect((await fetchBytes(at("download", body.data), ann.token)).bytes).toEqual(sample("png"));
    expect((await fetchBytes(at("download", file), ann.token)).status).toBe(404);
  });

  it("copies a file; each of the two outlives the other, and the bytes go with the last", async () => {
    const file = await upload(ann);
    const key = await keyOf(file.id);
    const { status, body } = await call("/files/copy", {
      method: "POST",
      token: ann.token,
      body: { folder: file.folder, file: file.name, targetFolder: folderName() },
    });
    expect(status).toBe(201);
    const copy = body.data;
    expect(copy).toMatchObject({ name: file.name, sha256: file.sha256, size: file.size });
    expect(copy.id).not.toBe(file.id);
    await call(`/files/${file.folder}/${file.name}`, { method: "DELETE", token: ann.token });
    expect((await fetchBytes(at("download", copy), ann.token)).bytes).toEqual(sample("png"));
    await call(`/files/${copy.folder}/${copy.name}`, { method: "DELETE", token: ann.token });
    expect(await env.FILES.head(key)).toBeNull();
  });

  it("overwrites nothing and changes no type", async () => {
    const folder = folderName();
    const [first, second] = [await upload(ann, "png", { folder }), await upload(ann, "png", { folder })];
    for (const path of ["/files/move", "/files/copy"]) {
      const body = { folder, file: first.name, targetFolder: folder, targetFile: second.name };
      expect((await call(path, { method: "POST", token: ann.token, body })).status).toBe(409);
      const asPage = { ...body, targetFile: "page.svg" };
      expect((await call(path, { method: "POST", token: ann.token, body: asPage })).status).toBe(415);
    }
  });
});

describe("deleting", () => {
  it("takes row and object away, and only those", async () => {
    const [file, other] = [await upload(ann), await upload(ann)];
    const [key, otherKey] = [await keyOf(file.id), await keyOf(other.id)];
    const { status, body } = await call(`/files/${file.folder}/${file.name}`, { method: "DELETE", token: ann.token });
    expect([status, body]).toEqual([200, { success: true, message: "File deleted" }]);
    expect(await env.FILES.head(key)).toBeNull();
    expect(await env.FILES.head(otherKey)).not.toBeNull();
    expect((await call(`/files/${file.folder}/${file.name}`, { method: "DELETE", token: ann.token })).status).toBe(404);
  });

  it("of a user takes all their objects, whoever deletes the row, and nobody else's", async () => {
    const dan = await mintUser("dan");
    const keys = [await keyOf((await upload(dan)).id), await keyOf((await upload(dan, "pdf")).id)];
    const kept = await keyOf((await upload(ann)).id);
    await env.DB.prepare("DELETE FROM users WHERE id = ?").bind(dan.id).run();
    // Whichever deletion comes next delivers what is pending; the sweep would, too.
    const last = await upload(ann);
    await call(`/files/${last.folder}/${last.name}`, { method: "DELETE", token: ann.token });
    for (const key of keys) expect(await env.FILES.head(key)).toBeNull();
    expect(await env.FILES.head(kept)).not.toBeNull();
    const { results } = await env.DB.prepare("SELECT id FROM outbox WHERE target LIKE 'file:%'").all();
    expect(results).toEqual([]);
  });
});
