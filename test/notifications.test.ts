import { evictDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { costOf, mintUser, type TestUser } from "./support/api.ts";
import { get, mintVideo, noticesOf, post } from "./support/social.ts";
import { openHub } from "./support/socket.ts";

const unseenOf = async (user: TestUser): Promise<number> => (await get(user, "/notifications/unseen-count")).body.count;
const idsOf = async (user: TestUser): Promise<number[]> => {
  const { body } = await get(user, "/notifications?limit=100");
  return body.notifications.map(({ id }: { id: number }) => id);
};

/** Somebody with `count` unseen notifications. */
async function mintNoticed(count: number): Promise<TestUser> {
  const ann = await mintUser("ann");
  const fans = await Promise.all(Array.from({ length: count }, () => mintUser("fan")));
  for (const fan of fans) await post(fan, `/users/${ann.id}/follow`);
  return ann;
}

describe("notifications", () => {
  it("are listed newest first, page by page, as they were pushed", async () => {
    const ann = await mintUser("ann");
    const hub = await openHub(ann);
    const { id } = await mintVideo(ann);
    for (const fan of [await mintUser("fan"), await mintUser("fan"), await mintUser("fan")]) {
      await post(fan, `/videos/${id}/like`);
    }
    const pushed = (await hub.collect("notification:new", 3)).map(({ data }) => data).reverse();
    const first = await get(ann, "/notifications?limit=2");
    expect(first.body.notifications).toEqual(pushed.slice(0, 2));
    const second = await get(ann, `/notifications?limit=2&before=${first.body.nextCursor}`);
    expect(second.body).toEqual({ notifications: pushed.slice(2), nextCursor: null });
    expect(costOf(second).d1_queries).toBeLessThanOrEqual(3);
  });

  it("are one's own: nobody sees or marks another's", async () => {
    const [ann, eve] = [await mintNoticed(2), await mintNoticed(1)];
    const ids = await idsOf(ann);
    expect(await idsOf(eve)).not.toEqual(expect.arrayContaining(ids));
    const answer = await post(eve, "/notifications/mark-seen", { notificationIds: ids });
    expect(answer.body).toEqual({ success: true, message: "0 marked as seen" });
    const hub = await openHub(eve);
    await hub.ask("notification:mark_seen", { notificationIds: ids });
    expect([await unseenOf(ann), await unseenOf(eve)]).toEqual([2, 1]);
    await hub.expectNothing("notification:unseen_count");
  });

  it("are marked over REST; every device gets the new count, and only if it changed", async () => {
    const ann = await mintNoticed(3);
    const [phone, laptop] = [await openHub(ann), await openHub(ann)];
    const [newest = 0, ...rest] = await idsOf(ann);
    const mark = (notificationIds?: number[]) => post(ann, "/notifications/mark-seen", { notificationIds });
    expect((await mark([newest, newest, 999_999_999])).body).toEqual({ success: true, message: "1 marked as seen" });
    for (const hub of [phone, laptop]) expect((await hub.next("notification:unseen_count")).data).toEqual({ count: 2 });
    expect((await mark([newest])).body.message).toBe("0 marked as seen");
    expect(await unseenOf(ann)).toBe(2);
    expect((await mark()).body.message).toBe(`${rest.length} marked as seen`);
    for (const hub of [phone, laptop]) {
      expect((await hub.next("notification:unseen_count")).data).toEqual({ count: 0 });
      await hub.expectNothing("notification:unseen_count");
    }
    const { body } = await get(ann, "/notifications");
    expect(body.notifications.every(({ seen }: { seen: boolean }) => seen)).toBe(true);
  });

  it("are marked over the socket, also by an object that was asleep", async () => {
    const ann = await mintNoticed(2);
    const hub = await openHub(ann);
    await evictDurableObject(env.USER_HUB.getByName(String(ann.id)));
    const [newest = 0] = await idsOf(ann);
    const ack = await hub.ask("notification:mark_seen", { notificationIds: [newest] });
    expect(ack).toMatchObject({ type: "ack", data: { notificationIds: [newest] } });
    expect((await hub.next("notification:unseen_count")).data).toEqual({ count: 1 });
    await hub.ask("notification:mark_seen", {});
    expect((await hub.next("notification:unseen_count")).data).toEqual({ count: 0 });
    expect(await unseenOf(ann)).toBe(0);
  });

  it("are counted in every frame: one more for each, one less for each seen", async () => {
    const [ann, bob] = [await mintUser("ann"), await mintUser("bob")];
    const hub = await openHub(ann);
    const { id } = await mintVideo(ann);
    const count = async () => (await hub.next("notification:unseen_count")).data.count;
    await post(bob, `/users/${ann.id}/follow`);
    expect(await count()).toBe(1);
    await post(bob, `/videos/${id}/like`);
    expect(await count()).toBe(2);
    await post(bob, "/comments", { videoId: id, content: "hi" });
    expect(await count()).toBe(3);
    const [latest] = await noticesOf(ann);
    expect(latest?.type).toBe("comment");
    await post(ann, "/notifications/mark-seen", { notificationIds: [(await idsOf(ann))[0]] });
    expect(await count()).toBe(2);
  });

  it("that came while the user was away are replayed, each once", async () => {
    const [ann, bob] = [await mintUser("ann"), await mintUser("bob")];
    const first = await openHub(ann);
    const hello = first.frames[0];
    first.close();
    const { id } = await mintVideo(ann);
    await post(bob, `/users/${ann.id}/follow`);
    await post(bob, `/videos/${id}/like`);
    const again = await openHub(ann, `&since=${hello?.seq}&epoch=${hello?.epoch}`);
    await again.expectNothing();
    const kept = again.frames.filter((frame) => frame.type.startsWith("notification:"));
    expect(kept.map((frame) => [frame.seq, frame.type, frame.data.type ?? frame.data.count])).toEqual([
      [1, "notification:new", "follow"],
      [2, "notification:unseen_count", 1],
      [3, "notification:new", "like"],
      [4, "notification:unseen_count", 2],
    ]);
  });

  it("answer bad calls as bad calls, and the socket lives on", async () => {
    const ann = await mintNoticed(1);
    for (const path of ["/notifications", "/notifications/unseen-count"])
      expect((await get(null, path)).status).toBe(401);
    expect((await post(null, "/notifications/mark-seen", {})).status).toBe(401);
    for (const notificationIds of ["all", ["x"], [1.5], Array(1001).fill(1)]) {
      expect((await post(ann, "/notifications/mark-seen", { notificationIds })).status).toBe(400);
    }
    for (const query of ["limit=0", "limit=101", "before=x", "before=-1"]) {
      expect((await get(ann, `/notifications?${query}`)).status).toBe(400);
    }
    const hub = await openHub(ann);
    const answer = await hub.ask("notification:mark_seen", { notificationIds: "all" });
    expect(answer).toMatchObject({ type: "error", error: { code: "INVALID_MESSAGE" } });
    expect(await unseenOf(ann)).toBe(1);
    expect(await hub.ask("notification:mark_seen", {})).toMatchObject({ type: "ack" });
    expect(await unseenOf(ann)).toBe(0);
  });
});
