/** What one user's files may take (QUOTA_FILES_MEGABYTES, 5000 unless set). */
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { config } from "../src/config.ts";
import { mintAdmin, run } from "./support/admin.ts";
import { call, mintUser, type TestUser } from "./support/api.ts";
import { folderName, gifOf, tryUpload, uploadNamed } from "./support/files.ts";
import { form, sample } from "./support/samples.ts";
import { metadata, tus } from "./support/tus.ts";

const MB = 1024 * 1024;
const QUOTA = 5000 * MB;

type Usage = { file_count: number; bytes: number; reserved: number };
const usageOf = async ({ id }: TestUser): Promise<Usage | undefined> =>
  (await run<Usage>("SELECT file_count, bytes, reserved FROM file_usage WHERE user_id = ?", id))[0];

/** A user whose files leave room for so many bytes. */
async function mintFull(left: number): Promise<TestUser> {
  const user = await mintUser("full");
  await run("INSERT INTO file_usage (user_id, file_count, bytes) VALUES (?, 1, ?)", user.id, QUOTA - left);
  return user;
}

const announce = (by: TestUser, length: number) =>
  tus(
    "",
    "POST",
    { "Upload-Length": String(length), "Upload-Metadata": metadata({ filename: "a.gif" }) },
    undefined,
    by,
  );

describe("the quota", () => {
  it("is counted as files come and go, and nothing stays reserved", async () => {
    const ann = await mintUser("ann");
    const file = await uploadNamed(ann, "a.gif", { bytes: gifOf(1000) });
    await uploadNamed(ann, "b.gif", { bytes: gifOf(500) });
    expect(await usageOf(ann)).toEqual({ file_count: 2, bytes: 1500, reserved: 0 });
    await call(`/files/${file.folder}/${file.name}`, { method: "DELETE", token: ann.token });
    expect(await usageOf(ann)).toEqual({ file_count: 1, bytes: 500, reserved: 0 });
    const { body } = await call("/files/statistics", { token: ann.token });
    expect(body.data.quota).toEqual({ usedBytes: 500, reservedBytes: 0, maxBytes: QUOTA });
  });

  it("refuses an upload beyond it with 413, and leaves nothing of it", async () => {
    const ann = await mintFull(999);
    const { status, body } = await tryUpload(ann, "a.gif", { bytes: gifOf(1000) });
    expect({ status, code: body.error.code }).toEqual({ status: 413, code: "PAYLOAD_TOO_LARGE" });
    expect(body.error.message).toContain("5000 MB");
    expect((await env.FILES.list({ prefix: `u/${ann.id}/` })).objects).toEqual([]);
    expect(await run("SELECT key FROM uploads WHERE owner_id = ?", ann.id)).toEqual([]);
    expect((await usageOf(ann))?.reserved).toBe(0);
    expect((await tryUpload(ann, "a.gif", { bytes: gifOf(999) })).status).toBe(201);
  });

  it("lets in of twenty forms at once those that fit", async () => {
    const ann = await mintFull(3500);
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => tryUpload(ann, "a.gif", { bytes: gifOf(1000) })),
    );
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(3);
    expect(answers.filter(({ status }) => status === 413)).toHaveLength(17);
    expect(await usageOf(ann)).toMatchObject({ bytes: QUOTA - 500, reserved: 0 });
  });

  it("is held by resumable uploads from their creation: of twenty at once, those that fit get in", async () => {
    const ann = await mintFull(3500);
    const answers = await Promise.all(Array.from({ length: 20 }, () => announce(ann, 1000)));
    expect(answers.map(({ status }) => status).sort()).toEqual([...Array(3).fill(201), ...Array(17).fill(413)]);
    expect((await usageOf(ann))?.reserved).toBe(3000);
    expect((await tryUpload(ann, "a.gif", { bytes: gifOf(501) })).status).toBe(413);
    const location = answers.find(({ status }) => status === 201)?.headers.get("location") ?? "";
    expect((await tus(location, "DELETE", {}, undefined, ann)).status).toBe(204);
    expect((await usageOf(ann))?.reserved).toBe(2000);
  });

  it("counts a resumable upload once when it becomes a file, and gives it back with the file", async () => {
    const ann = await mintUser("ann");
    const location = (await announce(ann, 1000)).headers.get("location") ?? "";
    const patched = await tus(
      location,
      "PATCH",
      { "Upload-Offset": "0", "Content-Type": "application/offset+octet-stream" },
      gifOf(1000),
      ann,
    );
    expect(patched.status).toBe(204);
    expect(await usageOf(ann)).toEqual({ file_count: 1, bytes: 1000, reserved: 0 });
    expect((await tus(location, "DELETE", {}, undefined, ann)).status).toBe(204);
    expect(await usageOf(ann)).toEqual({ file_count: 0, bytes: 0, reserved: 0 });
  });

  it("holds for an upload of many parts what it may come to, and no more than it is once that is known", async () => {
    const ann = await mintFull(12 * MB);
    const bytes = new Uint8Array(9 * MB);
    bytes.set(sample("mp4"));
    expect((await tryUpload(ann, "a.mp4", { bytes })).status).toBe(201);
    expect(await usageOf(ann)).toMatchObject({ bytes: QUOTA - 3 * MB, reserved: 0 });
    expect((await tryUpload(ann, "b.mp4", { bytes })).status).toBe(413);
    expect(await usageOf(ann)).toMatchObject({ bytes: QUOTA - 3 * MB, reserved: 0 });
    expect((await env.FILES.list({ prefix: `u/${ann.id}/` })).objects).toHaveLength(1);
  });

  it("counts copies, and videos with their thumbs", async () => {
    const ann = await mintFull(1500);
    const folder = folderName();
    await uploadNamed(ann, "a.gif", { folder, bytes: gifOf(1000) });
    const body = { folder, file: "a.gif", targetFolder: folder, targetFile: "b.gif" };
    expect((await call("/files/copy", { method: "POST", token: ann.token, body })).status).toBe(413);
    await run("UPDATE file_usage SET bytes = bytes - 500 WHERE user_id = ?", ann.id);
    expect((await call("/files/copy", { method: "POST", token: ann.token, body })).status).toBe(201);
    const video = form(["title", "t"], ["file", sample("mp4"), "v.mp4"], ["thumb", sample("png"), "t.png"]);
    expect((await call("/videos", { method: "POST", token: ann.token, body: video })).status).toBe(413);
    expect(await usageOf(ann)).toMatchObject({ bytes: QUOTA, reserved: 0 });
  });

  it("of an upload of several files refuses those that do not fit", async () => {
    const ann = await mintFull(1500);
    const body = form(["files", gifOf(1000), "a.gif"], ["files", gifOf(1000), "b.gif"], ["files", gifOf(400), "c.gif"]);
    const answer = await call("/files/upload/multiple", { method: "POST", token: ann.token, body });
    expect(answer.body.data.results.map((each: { success: boolean }) => each.success)).toEqual([true, false, true]);
    expect(answer.body.data.results[1].error.code).toBe("PAYLOAD_TOO_LARGE");
  });

  it("is seen by admins, and gone with an erased user", async () => {
    const admin = await mintAdmin();
    const ann = await mintUser("ann");
    await uploadNamed(ann, "a.gif", { bytes: gifOf(1000) });
    const { body } = await call(`/admin/users/${ann.id}`, { token: admin.token });
    expect(body.storage).toEqual({ files: 1, bytes: 1000, reserved: 0, quota: QUOTA });
    const erased = await call(`/admin/users/${ann.id}`, {
      method: "DELETE",
      token: admin.token,
      body: { reason: "x" },
    });
    expect(erased.status).toBe(200);
    expect(await usageOf(ann)).toBeUndefined();
  });

  it("may be none", () => {
    expect(config({ ...env, QUOTA_FILES_MEGABYTES: "0" }).QUOTA_FILES_MEGABYTES).toBe(0);
  });
});
