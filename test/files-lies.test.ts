/** A table of lies: each is a clear 4xx, and nothing of it is left in R2 or D1. */
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { call, mintUser, worker } from "./support/api.ts";
import { type Entry, form, rawForm, sample } from "./support/samples.ts";

const ann = await mintUser("ann");

/** Everything that an upload could leave. */
const leftovers = async () => ({
  objects: (await env.FILES.list()).objects.map((object) => object.key),
  rows: (
    await env.DB.batch([
      env.DB.prepare("SELECT id FROM files"),
      env.DB.prepare("SELECT key FROM uploads"),
      env.DB.prepare("SELECT id FROM outbox"),
    ])
  ).map((result) => result.results),
});

const html = new Uint8Array(new TextEncoder().encode("<!DOCTYPE html><script>alert(1)</script>"));
const svgText = (content: string) => new Uint8Array(new TextEncoder().encode(content));
const MB = 1024 * 1024;

/** A real head, and then zeros up to a size. */
const grown = (extension: string, size: number) => {
  const bytes = new Uint8Array(size);
  bytes.set(sample(extension));
  return bytes;
};

describe("an upload that lies", () => {
  let before: Awaited<ReturnType<typeof leftovers>>;
  beforeEach(async () => {
    before = await leftovers();
  });
  afterEach(async () => {
    expect(await leftovers()).toEqual(before);
  });

  const file = (content: Uint8Array<ArrayBuffer>, name: string): Entry => ["file", content, name];

  it.each<[what: string, status: number, entries: Entry[]]>([
    ["HTML as .png", 415, [file(html, "a.png")]],
    ["HTML as .svg", 415, [file(html, "a.svg")]],
    ["HTML hidden behind a comment as .svg", 415, [file(svgText("<!-- <svg> --><html></html>"), "a.svg")]],
    ["an SVG with an HTML doctype", 415, [file(svgText("<!DOCTYPE html><svg></svg>"), "a.svg")]],
    ["SVG as .png", 415, [file(sample("svg"), "a.png")]],
    ["PNG as .jpg", 415, [file(sample("png"), "a.jpg")]],
    ["PNG as .svg", 415, [file(sample("png"), "a.svg")]],
    ["PDF as .docx", 415, [file(sample("pdf"), "a.docx")]],
    ["a zip as .pdf", 415, [file(sample("zip"), "a.pdf")]],
    ["MP4 as .webm", 415, [file(sample("mp4"), "a.webm")]],
    ["MP3 as .wav", 415, [file(sample("mp3"), "a.wav")]],
    ["a program as .zip", 415, [file(svgText("MZ\u0090\u0000 program"), "a.zip")]],
    ["nothing at all as .png", 415, [file(new Uint8Array(), "a.png")]],
    ["an extension that is not taken", 415, [file(html, "a.html")]],
    ["a program", 415, [file(html, "a.exe")]],
    ["no extension", 415, [file(sample("png"), "png")]],
    ["a second extension at the end", 415, [file(sample("png"), "a.png.html")]],
    ["a prototype's member as extension", 415, [file(sample("png"), "a.constructor")]],
    ["another category, said before", 415, [["category", "video"], file(sample("png"), "a.png")]],
    ["another category, said after", 415, [file(sample("png"), "a.png"), ["category", "video"]]],
    ["no such category", 400, [file(sample("png"), "a.png"), ["category", "picture"]]],
    ["no such visibility", 400, [file(sample("png"), "a.png"), ["visibility", "everybody"]]],
    ["a folder above", 400, [["folder", "../x"], file(sample("png"), "a.png")]],
    ["a folder above, said after", 400, [file(sample("png"), "a.png"), ["folder", ".."]]],
    ["a folder in a folder", 400, [file(sample("png"), "a.png"), ["folder", "a/b"]]],
    ["a folder with a line break", 400, [file(sample("png"), "a.png"), ["folder", "a\r\nb"]]],
    ["a file under another field", 400, [["upload", sample("png"), "a.png"]]],
    ["two files", 400, [file(sample("png"), "a.png"), file(sample("png"), "b.png")]],
    ["an image over 10 MB", 413, [file(grown("png", 10 * MB + 1), "a.png")]],
  ])("%s: %i", async (_what, status, entries) => {
    const answer = await call("/files/upload", { method: "POST", token: ann.token, body: form(...entries) });
    expect([answer.status, answer.body.error?.message]).toEqual([status, expect.any(String)]);
  });

  it.each([
    ["dots alone", ".."],
    ["a path that ends in dots", "a.png/.."],
    ["a path that ends in nothing", "holiday/"],
    ["nothing to see", "\u200b"],
    ["an escaped line break", "a%0D%0ASet-Cookie: a=b.png"],
    ["a NUL", "a\u0000.png"],
  ])("a name with %s: 400", async (_what, name) => {
    const { body, headers } = rawForm(["file", sample("png"), name]);
    const answer = await call("/files/upload", { method: "POST", token: ann.token, body, headers });
    expect(answer.status).toBe(400);
    expect(answer.headers.get("set-cookie")).toBeNull();
  });

  it("a name with a line break as it is: the header ends there, and so does the name", async () => {
    const { body, headers } = rawForm(["file", sample("png"), "a\r\nSet-Cookie: a=b.png"]);
    const answer = await call("/files/upload", { method: "POST", token: ann.token, body, headers });
    expect(answer.status).toBe(415);
    expect(answer.headers.get("set-cookie")).toBeNull();
  });

  it("a size that is announced: 413 before it is read", async () => {
    let sent = 0;
    const { body, headers } = rawForm(["file", grown("png", 64 * 1024), "a.png"]);
    const endless = new ReadableStream<Uint8Array>({
      pull(controller) {
        controller.enqueue(sent === 0 ? body.subarray(0, 60_000) : new Uint8Array(65_536));
        sent += 65_536;
      },
    });
    const declared = { ...headers, "Content-Length": String(900 * MB) };
    const answer = await call("/files/upload", { method: "POST", token: ann.token, body: endless, headers: declared });
    expect(answer.status).toBe(413);
    expect(sent).toBeLessThan(2 * MB);
  });

  it("a size that is not announced: 413 as soon as it is over the limit", async () => {
    let sent = 0;
    const { body, headers } = rawForm(["file", grown("png", 64 * 1024), "a.png"]);
    const endless = new ReadableStream<Uint8Array>({
      pull(controller) {
        controller.enqueue(sent === 0 ? body.subarray(0, 60_000) : new Uint8Array(65_536));
        sent += 65_536;
      },
    });
    const answer = await call("/files/upload", { method: "POST", token: ann.token, body: endless, headers });
    expect(answer.status).toBe(413);
    expect(sent).toBeGreaterThan(10 * MB);
    expect(sent).toBeLessThan(14 * MB);
  });

  it("a form that breaks off: 400", async () => {
    const { body, headers } = rawForm(["file", grown("gif", 9 * MB), "a.gif"]);
    const cut = body.subarray(0, body.length - 100);
    expect((await call("/files/upload", { method: "POST", token: ann.token, body: cut, headers })).status).toBe(400);
  });

  it("a form without a boundary: 415", async () => {
    const headers = { "Content-Type": "multipart/form-data" };
    expect((await call("/files/upload", { method: "POST", token: ann.token, body: "x", headers })).status).toBe(415);
  });
});

describe("a signed URL", () => {
  const upload = async () =>
    (await call("/files/upload", { method: "POST", token: ann.token, body: form(["file", sample("pdf"), "a.pdf"]) }))
      .body.data;
  const sign = async (file: { folder: string; name: string }, expiresIn?: number) => {
    const body = { folder: file.folder, file: file.name, expiresIn };
    return (await call("/files/signed-url", { method: "POST", token: ann.token, body })).body.data;
  };
  const open = async (url: string, method = "GET") => (await worker.fetch(url, { method })).status;

  it("opens a private file without a token, for GET and HEAD", async () => {
    const { url, expiresAt } = await sign(await upload());
    expect(Math.round((Date.parse(expiresAt) - Date.now()) / 60_000)).toBe(60);
    expect([await open(url), await open(url, "HEAD")]).toEqual([200, 200]);
  });

  it("is refused when anything in it is changed", async () => {
    const [file, other] = [await upload(), await upload()];
    const { url } = await sign(file);
    const { searchParams } = new URL(url);
    const [expires, signature] = [searchParams.get("expires") ?? "", searchParams.get("signature") ?? ""];
    const path = `${url.split("?")[0]}?by=${ann.id}`;
    const flipped = signature.replace(/./g, (char, position) => (position === 10 ? (char === "A" ? "B" : "A") : char));
    const cases: [what: string, status: number, url: string][] = [
      ["a later expiry", 403, `${path}&expires=${Number(expires) + 1}&signature=${signature}`],
      ["one character of the signature", 403, `${path}&expires=${expires}&signature=${flipped}`],
      ["a signature cut short", 403, `${path}&expires=${expires}&signature=${signature.slice(0, -1)}`],
      ["a signature of nothing", 403, `${path}&expires=${expires}&signature=`],
      ["a signature with padding", 403, `${path}&expires=${expires}&signature=${signature}=`],
      ["no signature", 400, `${path}&expires=${expires}`],
      ["no expiry", 400, `${path}&signature=${signature}`],
      ["the expiry twice", 400, `${url}&expires=${expires}`],
      ["the signature twice", 400, `${url}&signature=${signature}`],
      ["another signer", 403, url.replace(`by=${ann.id}`, `by=${ann.id + 1}`)],
      ["no signer", 400, url.replace(`by=${ann.id}&`, "")],
      ["something more", 400, `${url}&download=1`],
      ["an expiry with a sign", 400, `${path}&expires=%2B${expires}&signature=${signature}`],
      ["another file", 403, url.replace(file.name, other.name)],
      ["another folder", 403, url.replace("/general/", "/other/")],
    ];
    for (const [what, status, changed] of cases) expect([what, await open(changed)]).toEqual([what, status]);
    // Signed for the download, it opens nothing else.
    expect(await open(url.replace("/download/", "/view/"))).toBe(403);
    expect(await open(url, "DELETE")).toBe(404);
  });

  it("is over when it has expired", async () => {
    const file = await upload();
    const { url } = await sign(file, 1);
    const past = new URL(url);
    // As soon as the second it names has begun.
    while (Date.now() < Number(past.searchParams.get("expires")) * 1000) await scheduler.wait(50);
    expect(await open(url)).toBe(403);
  });

  it("opens no file made later under the same name: there can be none", async () => {
    const move = (file: { folder: string; name: string }) =>
      call("/files/move", {
        method: "POST",
        token: ann.token,
        body: { folder: file.folder, file: file.name, targetFolder: "named", targetFile: "same.pdf" },
      });
    const first = (await move(await upload())).body.data;
    const { url } = await sign(first);
    expect(await open(url)).toBe(200);
    await call("/files/named/same.pdf", { method: "DELETE", token: ann.token });
    expect(await open(url)).toBe(403);
    expect((await move(await upload())).status).toBe(409);
  });

  it.each([0, 604_801, 1.5, "an hour"])("for %s seconds is not given", async (expiresIn) => {
    const file = await upload();
    const body = { folder: file.folder, file: file.name, expiresIn };
    expect((await call("/files/signed-url", { method: "POST", token: ann.token, body })).status).toBe(400);
  });
});
