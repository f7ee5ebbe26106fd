/** Recordings: played, listed, deleted. */
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { call, costOf, mintUser } from "./support/api.ts";
import { fetchContent, flv, objects, studio, uploaded } from "./support/vod.ts";

describe("playing", () => {
  it("answers ranges, revalidation and HEAD", async () => {
    const { owner, stream } = await studio();
    const { id } = await uploaded(owner, stream.id);
    const part = await fetchContent(id, { Range: "bytes=0-12" });
    expect(part.status).toBe(206);
    expect(part.headers.get("content-range")).toBe("bytes 0-12/5000");
    expect(new Uint8Array(await part.arrayBuffer())).toEqual(flv().slice(0, 13));
    const whole = await fetchContent(id, { Range: "bytes=0-" });
    expect([whole.status, whole.headers.get("content-range")]).toEqual([206, "bytes 0-4999/5000"]);
    await whole.body?.cancel();
    expect((await fetchContent(id, { Range: "bytes=5000-" })).status).toBe(416);
    const head = await fetchContent(id, {}, "HEAD");
    expect([head.status, head.headers.get("content-length"), await head.text()]).toEqual([200, "5000", ""]);
    const etag = head.headers.get("etag") ?? "";
    expect(etag).toMatch(/^"[0-9a-f]{64}"$/);
    expect((await fetchContent(id, { "If-None-Match": etag })).status).toBe(304);
    expect((await fetchContent(999_999)).status).toBe(404);
  });

  it("counts one view for a play, none for a seek, a probe or a check", async () => {
    const { owner, stream } = await studio();
    const { id } = await uploaded(owner, stream.id);
    const asked: Record<string, string>[] = [
      {},
      { Range: "bytes=0-" },
      { Range: "bytes=0-1" },
      { Range: "bytes=100-" },
    ];
    for (const headers of asked) {
      await (await fetchContent(id, headers)).arrayBuffer();
    }
    await fetchContent(id, {}, "HEAD");
    expect((await call(`/vod/${id}`)).body.views).toBe(2);
  });
});

describe("the list", () => {
  it("is filtered by stream and time, and paged", async () => {
    const { owner, stream } = await studio();
    const other = await studio();
    const [first, second] = [await uploaded(owner, stream.id, 1), await uploaded(owner, stream.id, 2)];
    await uploaded(other.owner, other.stream.id);
    const ids = async (query: string) =>
      (await call(`/vod?streamId=${stream.id}&${query}`)).body.vods.map(({ id }: { id: number }) => id);
    expect(await ids("")).toEqual([second.id, first.id]);
    expect(await ids("limit=1&page=2")).toEqual([first.id]);
    const today = second.createdAt.slice(0, 10);
    expect(await ids(`from=${today}&to=${today}`)).toEqual([second.id, first.id]);
    expect(await ids("to=2020-01-01")).toEqual([]);
    expect(await ids(`from=${encodeURIComponent(new Date(Date.now() + 60_000).toISOString())}`)).toEqual([]);
    await (await fetchContent(first.id)).arrayBuffer();
    expect(await ids("sort=popular")).toEqual([first.id, second.id]);
    for (const query of ["limit=0", "page=0", "from=yesterday", "streamId=x", "sort=worst"]) {
      expect((await call(`/vod?${query}`)).status, query).toBe(400);
    }
  });

  it("costs one small read while no recording comes or goes", async () => {
    const { owner, stream } = await studio();
    const vod = await uploaded(owner, stream.id);
    const list = () => call("/vod?sort=popular&limit=7");
    await list();
    const again = await list();
    expect(costOf(again)).toMatchObject({ d1_queries: 1 });
    expect(costOf(again).d1_rows_read).toBeLessThanOrEqual(2);
    await call(`/vod/${vod.id}`, { method: "DELETE", token: owner.token });
    expect((await list()).body.vods.map(({ id }: { id: number }) => id)).not.toContain(vod.id);
  });
});

describe("deleting", () => {
  it("is the owner's and the moderators', and takes the bytes along", async () => {
    const { owner, stream } = await studio();
    const [other, moderator] = [await mintUser("other"), await mintUser("moderator")];
    await env.DB.prepare("UPDATE users SET role = 'moderator' WHERE id = ?").bind(moderator.id).run();
    const [first, second] = [await uploaded(owner, stream.id, 1), await uploaded(owner, stream.id, 2)];
    const before = (await objects()).length;
    const remove = (id: number, token?: string) => call(`/vod/${id}`, { method: "DELETE", token });
    expect((await remove(first.id)).status).toBe(401);
    expect((await remove(first.id, other.token)).status).toBe(403);
    expect((await remove(999_999, owner.token)).status).toBe(404);
    expect(await remove(first.id, owner.token)).toMatchObject({ status: 200, body: { success: true } });
    expect((await remove(second.id, moderator.token)).status).toBe(200);
    expect((await fetchContent(first.id)).status).toBe(404);
    expect((await objects()).length).toBe(before - 2);
  });

  it("of the stream's owner takes the recordings along", async () => {
    const { owner, stream } = await studio();
    const { id } = await uploaded(owner, stream.id);
    await env.DB.prepare("DELETE FROM users WHERE id = ?").bind(owner.id).run();
    expect((await call(`/vod/${id}`)).status).toBe(404);
    const { results } = await env.DB.prepare(
      "SELECT target FROM outbox WHERE target >= 'file:' AND target < 'file;'",
    ).all();
    expect(results).toHaveLength(1);
  });
});
