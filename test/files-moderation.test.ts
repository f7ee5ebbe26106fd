/** What an admin hides or deletes stays so, with all its copies; and what a closed account had is not shown (SPEC 4, 14). */
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import type { FileInfo } from "../src/features/files/contract.ts";
import { act, mintAdmin } from "./support/admin.ts";
import { bearer, call, mintUser, type TestUser } from "./support/api.ts";
import { folderName, read, uploadNamed } from "./support/files.ts";
import { form, sample } from "./support/samples.ts";

const admin = await mintAdmin();
const statusFor = async (url: string, by?: TestUser) => (await read(url, by ? bearer(by) : {})).status;
const show = (by: TestUser, id: number, visibility: "public" | "private") =>
  call(`/videos/${id}`, { method: "PATCH", token: by.token, body: { visibility } });
const setVisibility = (id: number, visibility: "public" | "private") =>
  act(admin, "PUT", `/videos/${id}/visibility`, { visibility });
const copy = (by: TestUser, { folder, name }: { folder: string; name: string }, targetFile: string) =>
  call("/files/copy", {
    method: "POST",
    token: by.token,
    body: { folder, file: name, targetFolder: folder, targetFile },
  });
const publish = (by: TestUser, fileId: string) =>
  call("/videos", { method: "POST", token: by.token, body: { title: "t", fileId } });
const keyOf = async ({ id }: { id: string }) =>
  (await env.DB.prepare("SELECT key FROM files WHERE id = ?").bind(id).first<{ key: string }>())?.key ?? "";

/** A public video of a fresh user's file, and copies of the file: the owner's own, and somebody else's. */
async function mintCopied() {
  const [owner, other] = [await mintUser("owner"), await mintUser("other")];
  const file = await uploadNamed(owner, "film.mp4", { folder: folderName(), visibility: "public" });
  const own: FileInfo = (await copy(owner, file, "own.mp4")).body.data;
  const theirs: FileInfo = (await copy(other, file, "theirs.mp4")).body.data;
  const { body: video } = await publish(owner, file.id);
  return { owner, other, file, own, theirs, video };
}

describe("an admin's hiding of a video", () => {
  it("stands against its owner until an admin lifts it; the owner changes the rest all the same", async () => {
    const { owner, video } = await mintCopied();
    await setVisibility(video.id, "private");
    const refused = await show(owner, video.id, "public");
    expect([refused.status, refused.body.error.code]).toEqual([403, "FORBIDDEN"]);
    expect((await call(`/videos/${video.id}`)).status).toBe(404);
    const renamed = await call(`/videos/${video.id}`, { method: "PATCH", token: owner.token, body: { title: "new" } });
    expect(renamed.body).toMatchObject({ title: "new", visibility: "private" });
    expect((await show(owner, video.id, "private")).status).toBe(200);
    expect((await show(owner, video.id, "public")).status).toBe(403);
    await setVisibility(video.id, "public");
    expect((await call(`/videos/${video.id}`)).status).toBe(200);
    expect((await show(owner, video.id, "private")).status).toBe(200);
    expect((await show(owner, video.id, "public")).status).toBe(200);
  });

  it("counts for a video that its owner had made private before", async () => {
    const { owner, video } = await mintCopied();
    await show(owner, video.id, "private");
    expect((await setVisibility(video.id, "private")).body.message).toBe("Visibility updated");
    expect((await setVisibility(video.id, "private")).body.message).toBe("Video is private already");
    expect((await show(owner, video.id, "public")).status).toBe(403);
  });

  it("covers copies of its file, before and after, and a video made of one; lifting it gives them back", async () => {
    const { owner, other, file, own, theirs, video } = await mintCopied();
    const twin = (await publish(owner, own.id)).body;
    expect(await statusFor(theirs.url)).toBe(200);
    await setVisibility(video.id, "private");
    expect((await call(`/videos/${twin.id}`)).status).toBe(404);
    expect((await call(`/videos/${twin.id}/content`)).status).toBe(404);
    for (const { url } of [file, own, theirs]) expect(await statusFor(url)).toBe(401);
    expect((await show(owner, twin.id, "public")).status).toBe(403);
    const later: FileInfo = (await copy(other, theirs, "later.mp4")).body.data;
    expect(await statusFor(later.url)).toBe(401);
    expect((await publish(other, later.id)).status).toBe(403);
    const signed = await call("/files/signed-url", {
      method: "POST",
      token: other.token,
      body: { folder: later.folder, file: later.name },
    });
    expect(await statusFor(signed.body.data.url)).toBe(403);
    await setVisibility(video.id, "public");
    for (const { url } of [theirs, later]) expect(await statusFor(url)).toBe(200);
    expect((await call(`/videos/${twin.id}`)).status).toBe(200);
  });
});

describe("an admin's deletion", () => {
  it("of a video takes all copies of its bytes along, and the bytes", async () => {
    const { owner, other, file, own, theirs, video } = await mintCopied();
    const twin = (await publish(owner, own.id)).body;
    const key = await keyOf(file);
    expect((await act(admin, "DELETE", `/videos/${video.id}`, { reason: "law" })).status).toBe(200);
    expect((await call(`/videos/${twin.id}`, { token: owner.token })).status).toBe(404);
    expect(await statusFor(theirs.url, other)).toBe(404);
    expect(await env.FILES.head(key)).toBeNull();
  });

  it("of somebody's file takes its copies along; the owner's own deletion does not", async () => {
    const [owner, other] = [await mintUser("owner"), await mintUser("other")];
    const make = async () => {
      const file = await uploadNamed(owner, "a.png", { folder: folderName(), visibility: "public" });
      const theirs: FileInfo = (await copy(other, file, "b.png")).body.data;
      return { file, theirs };
    };
    const remove = (by: TestUser, { folder, name }: FileInfo) =>
      call(`/files/${folder}/${name}`, { method: "DELETE", token: by.token });
    const [first, second] = [await make(), await make()];
    expect((await remove(owner, first.file)).status).toBe(200);
    expect(await statusFor(first.theirs.url, other)).toBe(200);
    expect((await remove(admin, second.file)).status).toBe(200);
    expect(await statusFor(second.theirs.url, other)).toBe(404);
  });
});

describe("a closed account", () => {
  it("shows neither its videos' bytes and pictures nor its public files; its own links are dead", async () => {
    const owner = await mintUser("owner");
    const body = form(["title", "t"], ["file", sample("mp4"), "v.mp4"], ["thumb", sample("png"), "t.png"]);
    const video = (await call("/videos", { method: "POST", token: owner.token, body })).body;
    const file = await uploadNamed(owner, "a.png", { folder: folderName(), visibility: "public" });
    const link = (
      await call("/files/signed-url", {
        method: "POST",
        token: owner.token,
        body: { folder: file.folder, file: file.name },
      })
    ).body.data.url;
    const addresses = [video.thumbUrl, video.videoUrl, file.url];
    for (const address of [...addresses, link]) expect(await statusFor(address)).toBe(200);
    await call("/auth/me", { method: "DELETE", token: owner.token });
    const reader = await mintUser("reader");
    for (const address of addresses) expect([address, await statusFor(address, reader)]).toEqual([address, 404]);
    expect(await statusFor(link)).toBe(403);
  });
});

describe("a signed link", () => {
  it.each(["ban", "erasure"])("ends with its signer's %s", async (how) => {
    const owner = await mintUser("owner");
    const file = await uploadNamed(owner, "a.png", { folder: folderName() });
    const { url } = (
      await call("/files/signed-url", {
        method: "POST",
        token: owner.token,
        body: { folder: file.folder, file: file.name },
      })
    ).body.data;
    expect(await statusFor(url)).toBe(200);
    const answer =
      how === "ban"
        ? await act(admin, "POST", `/users/${owner.id}/ban`, { reason: "x" })
        : await act(admin, "DELETE", `/users/${owner.id}`, { reason: "x" });
    expect(answer.status).toBe(200);
    expect(await statusFor(url)).toBe(403);
  });

  it("of an admin ends when they are none any more", async () => {
    const [owner, former] = [await mintUser("owner"), await mintAdmin()];
    const file = await uploadNamed(owner, "a.png", { folder: folderName() });
    const { url } = (
      await call("/files/signed-url", {
        method: "POST",
        token: former.token,
        body: { folder: file.folder, file: file.name },
      })
    ).body.data;
    expect(await statusFor(url)).toBe(200);
    await env.DB.prepare("UPDATE users SET role = 'user' WHERE id = ?").bind(former.id).run();
    expect(await statusFor(url)).toBe(403);
  });
});
