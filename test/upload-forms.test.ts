/** Files as programs and browsers really send them: their names, their first bytes, their forms. */
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { call, mintUser, ORIGIN, worker } from "./support/api.ts";
import { form, sample } from "./support/samples.ts";

const ann = await mintUser("ann");

const bytesOf = (value: string): Uint8Array<ArrayBuffer> => new Uint8Array(new TextEncoder().encode(value));
const latin1 = (value: string): Uint8Array<ArrayBuffer> => Uint8Array.from(value, (char) => char.charCodeAt(0));
const joined = (...pieces: Uint8Array<ArrayBuffer>[]): Uint8Array<ArrayBuffer> =>
  Uint8Array.from(pieces.flatMap((piece) => [...piece]));

type Part = { disposition: string; headers?: string; content?: Uint8Array<ArrayBuffer> };

/** A form whose headers are as written, byte by byte. */
const rawUpload = (parts: Part[], { contentType = "multipart/form-data; boundary=xxB", path = "/files/upload" } = {}) =>
  call(path, {
    method: "POST",
    token: ann.token,
    headers: { "Content-Type": contentType },
    body: joined(
      ...parts.flatMap(({ disposition, headers = "", content = sample("png") }) => [
        latin1(`--xxB\r\nContent-Disposition: ${disposition}\r\n${headers}\r\n`),
        content,
        latin1("\r\n"),
      ]),
      latin1("--xxB--\r\n"),
    ),
  });

/** UTF-8, one byte to a character. */
const utf8 = (text: string): string => String.fromCharCode(...new TextEncoder().encode(text));

describe("a file's name", () => {
  it.each([
    ["a Windows path", 'filename="C:\\Users\\me\\photo.png"', "photo.png"],
    ["a relative path", 'filename="holiday/2024/photo.png"', "photo.png"],
    ["a path upwards", 'filename="../../etc/photo.png"', "photo.png"],
    ["an absolute path", 'filename="/storage/emulated/0/photo.png"', "photo.png"],
    ["a path in the extended form", "filename*=utf-8''..%2F..%2Fphoto.png", "photo.png"],
    ["the extended form after the plain one", `filename="G_nie.png"; filename*=utf-8''G%C3%A9nie.png`, "Génie.png"],
    ["the extended form before the plain one", `filename*=utf-8''G%C3%A9nie.png; filename="G_nie.png"`, "Génie.png"],
    ["the extended form alone", "filename*=UTF-8'en'G%C3%A9nie.png", "Génie.png"],
    ["the extended form in Latin-1", "filename*=iso-8859-1''G%E9nie.png", "Génie.png"],
    ["a broken extended form", `filename="photo.png"; filename*=utf-8''%FF%FE.png`, "photo.png"],
    [
      "RFC 2047 beside RFC 8187",
      `filename="=?utf-8?B?R8OpbmllLnBuZw==?="; filename*=utf-8''G%C3%A9nie.png`,
      "Génie.png",
    ],
    ["RFC 2047 alone", 'filename="=?utf-8?B?R8OpbmllLnBuZw==?="', "Génie.png"],
    ["RFC 2047 in letters", 'filename="=?utf-8?Q?G=C3=A9nie_2.png?="', "Génie 2.png"],
    ["a blank at its end", 'filename="photo.png "', "photo.png"],
    ["an escaped quote", 'filename="a\\"b.png"', 'a"b.png'],
    ["a quote as browsers write it", 'filename="a%22b.png"', 'a"b.png'],
    ["a semicolon", 'filename="a;b.png"', "a;b.png"],
    ["no quotes", "filename=photo.png", "photo.png"],
    ["UTF-8 as it is", `filename="${utf8("日本.png")}"`, "日本.png"],
    ["Latin-1 as it is", 'filename="G\xe9nie.png"', "Génie.png"],
    ["letters in two pieces, as a Mac has them", `filename="${utf8("Génie.png".normalize("NFD"))}"`, "Génie.png"],
    ["an extension in capitals", 'filename="PHOTO.PNG"', "PHOTO.PNG"],
  ])("with %s is understood", async (_what, parameter, wanted) => {
    const { status, body } = await rawUpload([{ disposition: `form-data; name="file"; ${parameter}` }]);
    expect([status, body.data?.originalName]).toEqual([201, wanted]);
    const { headers } = await worker.fetch(body.data.url, {
      headers: { Authorization: `Bearer ${ann.token}` },
    });
    expect(headers.get("content-disposition")).toContain(`filename*=UTF-8''${encodeURIComponent(wanted)}`);
  });

  it("is understood alike by tus and in a recording", async () => {
    const filename = new TextEncoder().encode("C:\\Users\\me\\photo.png ").toBase64();
    const made = await call("/files/tus", {
      method: "POST",
      token: ann.token,
      headers: {
        "Tus-Resumable": "1.0.0",
        "Upload-Length": String(sample("png").length),
        "Upload-Metadata": `filename ${filename}`,
      },
    });
    expect(made.status).toBe(201);
    const row = await env.DB.prepare("SELECT original_name FROM resumable_uploads WHERE id = ?")
      .bind(made.headers.get("location")?.split("/").at(-1))
      .first();
    expect(row).toEqual({ original_name: "photo.png" });
  });
});

const ftyp = (brand: string, compatible: string) =>
  latin1(`\0\0\0\x18ftyp${brand}\0\0\0\0${compatible}\0\0\0\x08free${"\0".repeat(6000)}`);
const zipOf = (name: string) =>
  latin1(
    `PK\x03\x04\x14\0\0\0\0\0\0\0\0\0\0\0\0\0\x01\0\0\0\x01\0\0\0${String.fromCharCode(name.length)}\0\0\0${name}x${"\0".repeat(50)}`,
  );
const compound = joined(Uint8Array.fromHex("d0cf11e0a1b11ae1"), new Uint8Array(8000));
const utf16 = (text: string) =>
  joined(Uint8Array.of(0xff, 0xfe), new Uint8Array(Uint16Array.from(text, (c) => c.charCodeAt(0)).buffer));
const SVG = "http://www.w3.org/2000/svg";

describe("the first bytes of a file", () => {
  it.each<[what: string, name: string, content: Uint8Array<ArrayBuffer>]>([
    ["a workbook with a password", "locked.xlsx", compound],
    ["a document with a password", "locked.docx", compound],
    ["slides with a password", "locked.pptx", compound],
    ["a PDF after a line break", "newline.pdf", latin1(`\r\n%PDF-1.4\n${" ".repeat(5000)}`)],
    ["a PDF in a printer's job", "job.pdf", latin1("\x1b%-12345X@PJL JOB\r\n%PDF-1.7\n")],
    ["a PDF after a byte order mark", "bom.pdf", joined(Uint8Array.of(0xef, 0xbb, 0xbf), sample("pdf"))],
    ["a film of an iPhone", "iphone.mp4", ftyp("qt  ", "qt  ")],
    ["a film of an Android phone", "android.mp4", ftyp("3gp4", "isom3gp4")],
    ["a film with an M4V brand", "tv.mov", ftyp("M4V ", "mp42")],
    ["a voice memo of an Android phone", "voice.m4a", ftyp("3gp4", "isom3gp4")],
    ["a voice memo of an iPhone", "memo.m4a", ftyp("M4A ", "isomiso2")],
    ["a film in Ogg", "theora.ogg", latin1(`OggS\0\x02${"\0".repeat(22)}\x80theora${"\0".repeat(4000)}`)],
    ["a recording beyond 4 GB", "long.wav", latin1(`RF64\xff\xff\xff\xffWAVEds64${"\0".repeat(4000)}`)],
    ["a broadcast recording", "broadcast.wav", latin1(`BW64\xff\xff\xff\xffWAVEds64${"\0".repeat(4000)}`)],
    ["a browser's add-on", "addon.zip", zipOf("META-INF/mozilla.rsa")],
    ["a program", "program.zip", zipOf("AndroidManifest.xml")],
    ["an empty archive", "empty.zip", latin1(`PK\x05\x06${"\0".repeat(18)}`)],
    [
      "a drawing with a stylesheet",
      "a.svg",
      bytesOf(`<?xml version="1.0"?>\n<?xml-stylesheet href="#s"?>\n<svg xmlns="${SVG}"/>`),
    ],
    ["a drawing with a prefix", "b.svg", bytesOf(`<?xml version="1.0"?>\n<svg:svg xmlns:svg="${SVG}"/>`)],
    ["a drawing in UTF-16", "c.svg", utf16(`<?xml version="1.0" encoding="UTF-16"?><svg xmlns="${SVG}"/>`)],
    [
      "a drawing in Latin-1",
      "d.svg",
      latin1(`<?xml version="1.0" encoding="ISO-8859-1"?><!-- \xe9 --><svg xmlns="${SVG}"/>`),
    ],
    [
      "a drawing of Illustrator",
      "e.svg",
      bytesOf(
        `<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "svg11.dtd" [<!ENTITY ns_svg "${SVG}">]><svg xmlns="&ns_svg;"/>`,
      ),
    ],
  ])("%s is taken", async (_what, name, content) => {
    const { status, body } = await call("/files/upload", {
      method: "POST",
      token: ann.token,
      body: form(["file", content, name]),
    });
    expect([status, body.data?.originalName ?? body.error.message]).toEqual([201, name]);
  });

  it.each<[what: string, name: string, content: Uint8Array<ArrayBuffer>]>([
    ["a page as .svg", "page.svg", bytesOf("<html><body/></html>")],
    ["a page in UTF-16 as .svg", "page.svg", utf16("<html><svg></svg></html>")],
    ["a page behind an instruction as .svg", "page.svg", bytesOf("<?xml version='1.0'?><?a <svg ?><html></html>")],
    [
      "an element of another namespace as .svg",
      "x.svg",
      bytesOf('<h:svg xmlns:h="http://www.w3.org/1999/xhtml"><h:script/></h:svg>'),
    ],
    ["an undeclared prefix as .svg", "x.svg", bytesOf("<svg:svg></svg:svg>")],
    ["a program as .pdf", "exe.pdf", bytesOf(`MZ${"x".repeat(5000)}`)],
    ["a program that mentions PDF as .pdf", "exe.pdf", bytesOf(`MZ\u0000\u0000%PDF-1.4`)],
    ["a page that mentions PDF as .pdf", "page.pdf", bytesOf("<script>1</script>%PDF-1.4")],
    ["a header far inside as .pdf", "far.pdf", latin1(`${" ".repeat(2000)}%PDF-1.4`)],
    ["an archive as .pdf", "zip.pdf", zipOf("a.txt")],
    ["a photo of a phone as .mp4", "photo.mp4", ftyp("heic", "mif1")],
    ["a compound file as .zip", "a.zip", compound],
    ["a picture in RIFF as .wav", "a.wav", sample("webp")],
  ])("%s is still refused", async (_what, name, content) => {
    const { status } = await call("/files/upload", {
      method: "POST",
      token: ann.token,
      body: form(["file", content, name]),
    });
    expect(status).toBe(415);
  });
});

describe("a form", () => {
  it.each(["/files/upload", "/files/upload/multiple", "/videos", "/vod/upload"])(
    "with a boundary that is too long is the client's mistake at %s",
    async (path) => {
      for (const length of [71, 255, 300]) {
        const contentType = `multipart/form-data; boundary=${"q".repeat(length)}`;
        expect((await rawUpload([], { contentType, path })).status).toBe(400);
      }
    },
  );

  it("may quote its boundary, and name it after a charset", async () => {
    const parts = [{ disposition: 'form-data; name="file"; filename="a.png"' }];
    for (const contentType of [
      'multipart/form-data; boundary="xxB"',
      "Multipart/Form-Data; charset=utf-8; boundary=xxB",
    ]) {
      expect((await rawUpload(parts, { contentType })).status).toBe(201);
    }
  });

  it("may have a file input that was left empty", async () => {
    const answer = await rawUpload(
      [
        {
          disposition: 'form-data; name="thumb"; filename=""',
          headers: "Content-Type: application/octet-stream\r\n",
          content: new Uint8Array(),
        },
        { disposition: 'form-data; name="title"', content: bytesOf("A film") },
        { disposition: 'form-data; name="file"; filename="a.mp4"', content: sample("mp4") },
      ],
      { path: "/videos" },
    );
    expect([answer.status, answer.body.thumbUrl]).toEqual([201, null]);
  });

  it("with nothing but an input that was left empty has no file", async () => {
    const answer = await rawUpload([{ disposition: 'form-data; name="file"; filename=""', content: new Uint8Array() }]);
    expect([answer.status, answer.body.error.details]).toEqual([400, [{ path: "file", message: "is needed" }]]);
  });

  it("with an encoded part is refused, not stored encoded", async () => {
    const headers = "Content-Transfer-Encoding: base64\r\n";
    const content = bytesOf(sample("png").toBase64());
    const answer = await rawUpload([{ disposition: 'form-data; name="file"; filename="a.png"', headers, content }]);
    expect(answer.status).toBe(400);
    const plain = "Content-Transfer-Encoding: binary\r\n";
    expect(
      (await rawUpload([{ disposition: 'form-data; name="file"; filename="a.png"', headers: plain }])).status,
    ).toBe(201);
  });

  it("with a part that is none is refused", async () => {
    expect((await rawUpload([{ disposition: 'attachment; filename="a.png"' }])).status).toBe(400);
  });
});

describe("an extension of tus that is not offered", () => {
  const rows = () => env.DB.prepare("SELECT count(*) AS count FROM resumable_uploads").first<number>("count");
  const metadata = `filename ${bytesOf("big.pdf").toBase64()}`;

  it.each([
    ["a part of a concatenation", { "Upload-Concat": "partial", "Upload-Length": "100" }, "concatenation"],
    ["a concatenation", { "Upload-Concat": "final;/api/v1/files/tus/a /api/v1/files/tus/b" }, "concatenation"],
    ["a length that follows later", { "Upload-Defer-Length": "1" }, "creation-defer-length"],
    [
      "bytes at once",
      { "Upload-Length": "100", "Content-Type": "application/offset+octet-stream" },
      "creation-with-upload",
    ],
  ])("%s is refused by name, before there is a row", async (_what, headers, extension) => {
    const before = await rows();
    const answer = await call("/files/tus", {
      method: "POST",
      token: ann.token,
      headers: { "Tus-Resumable": "1.0.0", "Upload-Metadata": metadata, ...headers },
      ...("Content-Type" in headers ? { body: sample("pdf") } : {}),
    });
    expect([answer.status, answer.body.error.details[0].message]).toEqual([400, expect.stringContaining(extension)]);
    expect(await rows()).toBe(before);
  });

  it("a checksum that follows the bytes is refused, and no byte is taken", async () => {
    const made = await call("/files/tus", {
      method: "POST",
      token: ann.token,
      headers: { "Tus-Resumable": "1.0.0", "Upload-Length": "100", "Upload-Metadata": metadata },
    });
    const path = (made.headers.get("location") ?? "").replace("/api/v1", "");
    const answer = await call(path, {
      method: "PATCH",
      token: ann.token,
      headers: {
        "Tus-Resumable": "1.0.0",
        "Upload-Offset": "0",
        "Content-Type": "application/offset+octet-stream",
        Trailer: "Upload-Checksum",
      },
      body: sample("pdf"),
    });
    expect([answer.status, answer.body.error.details[0].message]).toEqual([
      400,
      expect.stringContaining("checksum-trailer"),
    ]);
    const head = await call(path, { method: "HEAD", token: ann.token, headers: { "Tus-Resumable": "1.0.0" } });
    expect(head.headers.get("upload-offset")).toBe("0");
  });
});

describe("a body that is refused in the middle", () => {
  const TOTAL = 2 * 1024 * 1024;
  /** A body, and how much of it was taken when the answer came. */
  async function answerTo(path: string, type: string, beginning: string) {
    const taken = { bytes: 0, isCancelled: false };
    const body = new ReadableStream<Uint8Array>({
      pull(controller) {
        if (taken.bytes === 0) controller.enqueue(latin1(beginning));
        taken.bytes += 65_536;
        controller.enqueue(new Uint8Array(65_536).fill(0x41));
        if (taken.bytes >= TOTAL) controller.close();
      },
      cancel() {
        taken.isCancelled = true;
      },
    });
    const headers = { Authorization: `Bearer ${ann.token}`, "Content-Type": type };
    const { status } = await worker.fetch(`${ORIGIN}/api/v1${path}`, { method: "POST", headers, body });
    return { status, ...taken };
  }
  const read = { bytes: TOTAL, isCancelled: false };

  it("is read to its end before the answer: a file that is not what its name says", async () => {
    const head = '--b\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\n\r\n';
    const answer = await answerTo("/files/upload", "multipart/form-data; boundary=b", head);
    expect(answer).toEqual({ status: 415, ...read });
  });

  it("is read to its end before the answer: JSON over its limit that did not say how long it is", async () => {
    expect(await answerTo("/messages", "application/json", '{"content":"')).toEqual({ status: 413, ...read });
  });
});
