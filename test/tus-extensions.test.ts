import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { PART_BYTES } from "../src/bytes/parts.ts";
import { runCron } from "../src/cron.ts";
import { create, fileOf, gif, hash, leftIn, offsetOf, patch, rowOf, tus } from "./support/tus.ts";

describe("checksum", () => {
  it.each([
    ["sha1", "SHA-1"],
    ["sha256", "SHA-256"],
    ["md5", "MD5"],
  ])("%s that fits is taken", async (name, algorithm) => {
    const content = gif(100);
    const { location } = await create(100);
    const sum = (await hash(content, algorithm)).toBase64();
    expect((await patch(location, 0, content, { "Upload-Checksum": `${name} ${sum}` })).status).toBe(204);
    expect((await fileOf(location)).bytes).toEqual(content);
  });

  it("that does not fit is 460, and none of the bytes count", async () => {
    const content = gif(100);
    const { location } = await create(100);
    const sum = (await hash(gif(99))).toBase64();
    const answer = await patch(location, 0, content, { "Upload-Checksum": `sha256 ${sum}` });
    expect(answer.status).toBe(460);
    expect(await offsetOf(location)).toBe(0);
    expect((await patch(location, 0, content)).status).toBe(204);
    expect((await fileOf(location)).bytes).toEqual(content);
  });

  it("that does not fit takes back whole parts, too", async () => {
    const content = gif(PART_BYTES + 1000);
    const { location } = await create(content.length);
    const answer = await patch(location, 0, content, { "Upload-Checksum": `sha1 ${(await hash(content)).toBase64()}` });
    expect(answer.status).toBe(460);
    expect(await offsetOf(location)).toBe(0);
    expect((await patch(location, 0, content)).status).toBe(204);
    expect((await hash((await fileOf(location)).bytes)).toHex()).toBe((await hash(content)).toHex());
  });

  it.each(["crc32 AAAA", "sha256 !!!", "sha256"])("%s is 400", async (header) => {
    const { location } = await create(100);
    expect((await patch(location, 0, gif(100), { "Upload-Checksum": header })).status).toBe(
      header === "sha256" ? 460 : 400,
    );
  });
});

describe("termination", () => {
  it("frees parts and tail, and the upload is gone", async () => {
    const content = gif(PART_BYTES + 1000);
    const { location } = await create(content.length + 1);
    expect((await patch(location, 0, content)).status).toBe(204);
    const row = await rowOf(location);
    expect(await leftIn(row?.key ?? "")).toHaveLength(1);
    expect((await tus(location, "DELETE")).status).toBe(204);
    expect(await leftIn(row?.key ?? "")).toEqual([]);
    // The multipart upload is aborted: nothing can be added to it.
    const multipart = env.FILES.resumeMultipartUpload(row?.key ?? "", row?.upload_id ?? "");
    await expect(multipart.uploadPart(2, new Uint8Array(10))).rejects.toThrow();
    for (const method of ["HEAD", "DELETE"]) expect((await tus(location, method)).status).toBe(404);
  });

  it("works by X-HTTP-Method-Override, as PATCH does", async () => {
    const { location } = await create(100);
    const over = (method: string, body?: Uint8Array<ArrayBuffer>) =>
      tus(
        location,
        "POST",
        { "X-HTTP-Method-Override": method, "Upload-Offset": "0", "Content-Type": "application/offset+octet-stream" },
        body,
      );
    expect((await over("PATCH", gif(100).slice(0, 50))).status).toBe(204);
    expect(await offsetOf(location)).toBe(50);
    expect((await over("DELETE")).status).toBe(204);
    expect((await tus(location, "HEAD")).status).toBe(404);
  });
});

describe("expiration", () => {
  it("hides an upload, and the sweep frees what it holds", async () => {
    const { location } = await create(1000);
    await patch(location, 0, gif(1000).slice(0, 500));
    const row = await rowOf(location);
    await env.DB.prepare("UPDATE resumable_uploads SET expires_at = ? WHERE id = ?")
      .bind(Date.now() - 1, row?.id)
      .run();
    expect((await tus(location, "HEAD")).status).toBe(404);
    expect((await patch(location, 500, gif(1000).slice(500))).status).toBe(404);
    expect(await leftIn(row?.key ?? "")).toHaveLength(1);
    const background: Promise<unknown>[] = [];
    const waitUntil = (work: Promise<unknown>) => background.push(work);
    await runCron(env, { waitUntil });
    expect(await rowOf(location)).toBeNull();
    // The outbox sweep leaves rows of the last seconds to whoever wrote them.
    await env.DB.prepare("UPDATE outbox SET created_at = created_at - 60000 WHERE target LIKE 'file:%'").run();
    await runCron(env, { waitUntil });
    await Promise.all(background);
    expect(await leftIn(row?.key ?? "")).toEqual([]);
  });

  it("of a finished upload leaves its file", async () => {
    const content = gif(100);
    const { location } = await create(100);
    await patch(location, 0, content);
    const file = await fileOf(location);
    await env.DB.prepare("UPDATE resumable_uploads SET expires_at = 0, locked_until = 0 WHERE id = ?")
      .bind((await rowOf(location))?.id)
      .run();
    await runCron(env, { waitUntil: () => {} });
    expect(await rowOf(location)).toBeNull();
    expect(await env.FILES.head(file.key)).not.toBeNull();
  });
});
