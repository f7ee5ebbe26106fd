/** What is in flight when a right ends (issue 14.8): it is looked at when the act takes effect, not only when it begins. */
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { act, mintAdmin } from "./support/admin.ts";
import { bearer, call, mintUser, type TestUser, worker } from "./support/api.ts";
import { folderName, tryUpload, uploadNamed } from "./support/files.ts";
import { mintStream, WEBHOOK_SECRET } from "./support/media.ts";
import { form, sample } from "./support/samples.ts";

const MB = 1024 * 1024;
const admin = await mintAdmin();
const ban = (user: TestUser) => act(admin, "POST", `/users/${user.id}/ban`, { reason: "spam" });

const film = (length: number): Uint8Array<ArrayBuffer> => {
  const bytes = new Uint8Array(length);
  bytes.set(sample("mp4"));
  return bytes;
};

/** Reads an answer until something happens to the reader's right; whether all of it came. */
async function readsOn(response: Response, after: () => Promise<unknown>): Promise<boolean> {
  const reader = response.body?.getReader();
  if (!reader) throw new Error("There is nothing to read.");
  await reader.read();
  await after();
  try {
    for (;;) if ((await reader.read()).done) return true;
  } catch {
    return false;
  }
}

describe("a download that is under way", () => {
  it("ends with its reader's ban, and goes on without one", async () => {
    const owner = await mintUser("owner");
    const file = await uploadNamed(owner, "film.mp4", { folder: folderName(), bytes: film(40 * MB) });
    const open = () => worker.fetch(file.url, { headers: bearer(owner) });
    expect(await readsOn(await open(), async () => {})).toBe(true);
    expect(await readsOn(await open(), () => ban(owner))).toBe(false);
  });

  it("by a signed link ends with its signer's ban", async () => {
    const owner = await mintUser("owner");
    const file = await uploadNamed(owner, "film.mp4", { folder: folderName(), bytes: film(40 * MB) });
    const body = { folder: file.folder, file: file.name };
    const { url } = (await call("/files/signed-url", { method: "POST", token: owner.token, body })).body.data;
    expect(await readsOn(await worker.fetch(url), () => ban(owner))).toBe(false);
  });

  it("of a video ends when an admin hides it", async () => {
    const owner = await mintUser("owner");
    const { id: fileId } = await uploadNamed(owner, "film.mp4", { folder: folderName(), bytes: film(40 * MB) });
    const { body } = await call("/videos", { method: "POST", token: owner.token, body: { title: "t", fileId } });
    const playing = await worker.fetch(`http://localhost:8787${body.videoUrl}`);
    expect(
      await readsOn(playing, () => act(admin, "PUT", `/videos/${body.id}/visibility`, { visibility: "private" })),
    ).toBe(false);
  });
});

describe("an upload that is under way", () => {
  it("becomes no file after its owner's ban, and leaves nothing", async () => {
    const owner = await mintUser("owner");
    const answering = tryUpload(owner, "film.mp4", { bytes: film(30 * MB) });
    const [answer] = await Promise.all([answering, ban(owner)]);
    if (answer.status === 201) throw new Error("The ban came too late for this test.");
    expect([403, 409]).toContain(answer.status);
    expect((await env.FILES.list({ prefix: `u/${owner.id}/` })).objects).toEqual([]);
  });

  it("of a recording, by a media server, publishes nothing of a banned owner, and nothing of a closed account is shown", async () => {
    const owner = await mintUser("owner");
    const stream = await mintStream(owner);
    const send = (bytes: Uint8Array<ArrayBuffer>) =>
      call(`/vod/upload?secret=${WEBHOOK_SECRET}`, {
        method: "POST",
        body: form(["streamId", String(stream.id)], ["file", bytes, "rec.mp4"]),
      });
    const { status, body } = await send(film(2048));
    expect(status).toBe(201);
    await ban(owner);
    expect((await send(film(4096))).status).toBe(403);
    const list = async () => (await call(`/vod?streamId=${stream.id}`)).body.vods.map(({ id }: { id: number }) => id);
    expect(await list()).toEqual([body.id]);
    await env.DB.prepare("UPDATE users SET account_status = 'deleted' WHERE id = ?").bind(owner.id).run();
    expect((await call(`/vod/${body.id}`)).status).toBe(404);
    expect((await call(`/vod/${body.id}/content`)).status).toBe(404);
  });
});
