import { describe, expect, it } from "vitest";
import { costOf, mintKnown, mintUser, type TestUser } from "./support/api.ts";
import { get, noticesOf, noticeTypesOf, post, remove } from "./support/social.ts";
import { openHub } from "./support/socket.ts";

const UNKNOWN = 999_999_999;

const briefOf = (user: TestUser) => ({ id: user.id, username: user.username, displayName: null, avatarUrl: null });
const listedOf = (user: TestUser, followerCount = 0) => ({
  ...briefOf(user),
  fullName: null,
  isVerified: false,
  followerCount,
});
const friendsOf = async (user: TestUser, status = "accepted") =>
  (await get(user, `/friends?status=${status}`)).body.friends;
const message = (from: TestUser, to: TestUser) => post(from, "/messages", { receiverId: to.id, content: "hi" });
const befriend = async (ann: TestUser, bob: TestUser): Promise<void> => {
  await post(ann, "/friends", { friendId: bob.id });
  await post(bob, `/friends/${ann.id}/accept`);
};

describe("following", () => {
  it("counts once and tells once, however often and however parallel", async () => {
    const [ann, bob] = [await mintUser("ann"), await mintUser("bob")];
    const hub = await openHub(ann);
    const answers = await Promise.all(Array.from({ length: 10 }, () => post(bob, `/users/${ann.id}/follow`)));
    for (const { status, body } of answers)
      expect([status, body]).toEqual([200, { following: true, followerCount: 1 }]);
    expect((await hub.next("notification:new")).data).toEqual({
      id: expect.any(Number),
      userId: ann.id,
      type: "follow",
      refId: bob.id,
      createdAt: expect.any(String),
      seen: false,
      actor: { id: bob.id, username: bob.username, avatarUrl: null },
      target: { type: "user", id: ann.id, title: ann.username },
    });
    expect((await hub.next("notification:unseen_count")).data).toEqual({ count: 1 });
    await hub.expectNothing("notification:new", "notification:unseen_count");
    expect((await get(bob, `/users/${ann.id}`)).body).toMatchObject({ followerCount: 1, isFollowing: true });
    expect((await get(ann, `/users/${bob.id}`)).body).toMatchObject({ followingCount: 1, isFollowing: false });
  });

  it("ends, and begins again without being news; other people's first time is", async () => {
    const [ann, bob, cat] = [await mintUser("ann"), await mintUser("bob"), await mintUser("cat")];
    await post(bob, `/users/${ann.id}/follow`);
    for (let time = 1; time <= 2; time += 1) {
      expect((await remove(bob, `/users/${ann.id}/follow`)).body).toEqual({ following: false, followerCount: 0 });
    }
    expect((await post(bob, `/users/${ann.id}/follow`)).body).toEqual({ following: true, followerCount: 1 });
    await post(bob, `/users/${cat.id}/follow`);
    expect(await noticeTypesOf(ann)).toEqual(["follow"]);
    expect(await noticesOf(cat)).toMatchObject([{ type: "follow", refId: bob.id }]);
  });

  it("is listed on both sides, the latest first", async () => {
    const [ann, bob, cat] = [await mintUser("ann"), await mintUser("bob"), await mintUser("cat")];
    await post(bob, `/users/${ann.id}/follow`);
    await post(cat, `/users/${ann.id}/follow`);
    await post(cat, `/users/${bob.id}/follow`);
    const followers = await get(null, `/users/${ann.id}/followers`);
    expect(followers.body).toEqual({
      followers: [listedOf(cat), listedOf(bob, 1)],
      pagination: { page: 1, limit: 20, total: 2, pages: 1 },
    });
    const following = await get(null, `/users/${cat.id}/following?limit=1&page=2`);
    expect(following.body).toEqual({
      following: [listedOf(ann, 2)],
      pagination: { page: 2, limit: 1, total: 2, pages: 2 },
    });
    await remove(bob, "/auth/me");
    expect((await get(null, `/users/${ann.id}/followers`)).body.followers).toEqual([listedOf(cat)]);
    expect((await get(null, `/users/${bob.id}/followers`)).status).toBe(404);
  });

  it("costs two round trips, one of them after the answer, and one call of a hub that is told", async () => {
    const [ann, bob] = [await mintUser("ann"), await mintKnown("bob")];
    const cost = costOf(await post(bob, `/users/${ann.id}/follow`));
    expect(cost).toMatchObject({ d1_queries: 2, object_calls: 1 });
    expect(cost.d1_rows_read).toBeLessThan(40);
  });

  it("needs a token and somebody else who is there", async () => {
    const [ann, gone] = [await mintUser("ann"), await mintUser("gone")];
    await remove(gone, "/auth/me");
    expect((await post(null, `/users/${ann.id}/follow`)).status).toBe(401);
    expect((await remove(null, `/users/${ann.id}/follow`)).status).toBe(401);
    expect((await post(ann, `/users/${ann.id}/follow`)).status).toBe(400);
    expect((await post(ann, "/users/me/follow")).status).toBe(404);
    expect((await post(ann, `/users/${UNKNOWN}/follow`)).status).toBe(404);
    expect((await post(ann, `/users/${gone.id}/follow`)).status).toBe(404);
    expect((await remove(ann, `/users/${UNKNOWN}/follow`)).status).toBe(404);
    for (const list of ["followers", "following"]) {
      expect((await get(null, `/users/${UNKNOWN}/${list}`)).status).toBe(404);
      expect((await get(null, `/users/${ann.id}/${list}?page=0`)).status).toBe(400);
    }
  });
});

describe("friends", () => {
  it("are asked, and accept", async () => {
    const [ann, bob] = [await mintUser("ann"), await mintUser("bob")];
    const asked = await post(ann, "/friends", { friendId: bob.id });
    expect(asked.status).toBe(201);
    expect(asked.body).toEqual({
      user: briefOf(bob),
      status: "pending",
      direction: "outgoing",
      since: expect.stringMatching(/\.\d{3}Z$/),
    });
    expect(await friendsOf(ann, "pending")).toEqual([asked.body]);
    expect(await friendsOf(bob, "pending")).toEqual([{ ...asked.body, user: briefOf(ann), direction: "incoming" }]);
    expect(await friendsOf(ann)).toEqual([]);
    const accepted = await post(bob, `/friends/${ann.id}/accept`);
    expect(accepted).toMatchObject({
      status: 200,
      body: { user: briefOf(ann), status: "accepted", direction: "incoming" },
    });
    expect(await friendsOf(bob)).toEqual([accepted.body]);
    expect(await friendsOf(ann)).toMatchObject([{ user: briefOf(bob), status: "accepted", direction: "outgoing" }]);
    expect(await friendsOf(ann, "pending")).toEqual([]);
    const page = await get(ann, "/friends");
    expect(page.body.pagination).toEqual({ page: 1, limit: 20, total: 1, pages: 1 });
  });

  it("asked or accepted again stay as they are", async () => {
    const [ann, bob] = [await mintUser("ann"), await mintUser("bob")];
    const asked = await Promise.all(Array.from({ length: 5 }, () => post(ann, "/friends", { friendId: bob.id })));
    expect(asked.map(({ status }) => status).sort()).toEqual([200, 200, 200, 200, 201]);
    const first = await post(bob, `/friends/${ann.id}/accept`);
    expect(await post(bob, `/friends/${ann.id}/accept`)).toMatchObject({ status: 200, body: first.body });
    expect(await post(ann, "/friends", { friendId: bob.id })).toMatchObject({
      status: 200,
      body: { status: "accepted" },
    });
    expect(await friendsOf(bob)).toEqual([first.body]);
  });

  it("who ask each other are friends", async () => {
    const [ann, bob] = [await mintUser("ann"), await mintUser("bob")];
    const both = await Promise.all([
      post(ann, "/friends", { friendId: bob.id }),
      post(bob, "/friends", { friendId: ann.id }),
    ]);
    expect(both.map(({ body }) => body.status).sort()).toEqual(["accepted", "pending"]);
    expect(await friendsOf(ann)).toHaveLength(1);
    expect(await friendsOf(bob)).toHaveLength(1);
  });

  it("are accepted by the one who was asked alone", async () => {
    const [ann, bob, eve] = [await mintUser("ann"), await mintUser("bob"), await mintUser("eve")];
    await post(ann, "/friends", { friendId: bob.id });
    for (const [by, id] of [
      [ann, bob.id],
      [eve, ann.id],
      [eve, bob.id],
      [bob, eve.id],
      [bob, UNKNOWN],
    ] as const) {
      expect((await post(by, `/friends/${id}/accept`)).status).toBe(404);
    }
    expect(await friendsOf(bob, "pending")).toHaveLength(1);
    expect(await friendsOf(eve, "pending")).toEqual([]);
  });

  it("part, decline and take back, from either side", async () => {
    const [ann, bob] = [await mintUser("ann"), await mintUser("bob")];
    for (const by of [ann, bob]) {
      const other = by === ann ? bob : ann;
      await post(ann, "/friends", { friendId: bob.id });
      expect((await remove(by, `/friends/${other.id}`)).status).toBe(200);
      expect(await friendsOf(bob, "pending")).toEqual([]);
      await befriend(ann, bob);
      expect((await remove(by, `/friends/${other.id}`)).status).toBe(200);
      expect((await remove(by, `/friends/${other.id}`)).status).toBe(200);
      expect(await friendsOf(other)).toEqual([]);
    }
  });

  it("need a token and somebody else who is there", async () => {
    const [ann, gone] = [await mintUser("ann"), await mintUser("gone")];
    await remove(gone, "/auth/me");
    expect((await post(null, "/friends", { friendId: ann.id })).status).toBe(401);
    expect((await get(null, "/friends")).status).toBe(401);
    expect((await remove(null, `/friends/${ann.id}`)).status).toBe(401);
    expect((await post(null, `/friends/${ann.id}/accept`)).status).toBe(401);
    for (const friendId of [ann.id, ["x"], -1, 1.5, undefined]) {
      expect((await post(ann, "/friends", { friendId })).status).toBe(400);
    }
    expect((await get(ann, "/friends?status=enemies")).status).toBe(400);
    expect((await post(ann, "/friends", { friendId: UNKNOWN })).status).toBe(404);
    expect((await post(ann, "/friends", { friendId: gone.id })).status).toBe(404);
    expect((await remove(ann, `/friends/${UNKNOWN}`)).status).toBe(404);
  });
});

describe("a block", () => {
  it("ends friendship and follows, and keeps the blocked one from messaging, befriending and following", async () => {
    const [ann, eve] = [await mintUser("ann"), await mintUser("eve")];
    await befriend(ann, eve);
    await post(ann, `/users/${eve.id}/follow`);
    await post(eve, `/users/${ann.id}/follow`);
    const hub = await openHub(ann);
    expect(await post(ann, `/friends/${eve.id}/block`)).toMatchObject({ status: 200, body: { blocked: true } });
    expect(await friendsOf(ann)).toEqual([]);
    expect(await friendsOf(eve)).toEqual([]);
    expect((await get(ann, `/users/${ann.id}`)).body).toMatchObject({ followerCount: 0, followingCount: 0 });
    expect((await get(ann, `/users/${eve.id}`)).body).toMatchObject({ followerCount: 0, followingCount: 0 });
    expect((await message(eve, ann)).status).toBe(403);
    expect((await post(eve, "/friends", { friendId: ann.id })).status).toBe(403);
    expect((await post(eve, `/users/${ann.id}/follow`)).status).toBe(403);
    expect((await get(eve, `/users/${ann.id}`)).body).toMatchObject({ followerCount: 0, isFollowing: false });
    await hub.expectNothing("notification:new", "message:new");
    expect(await friendsOf(ann, "pending")).toEqual([]);
  });

  it("holds both ways until it is taken back", async () => {
    const [ann, eve] = [await mintUser("ann"), await mintUser("eve")];
    await post(ann, `/friends/${eve.id}/block`);
    expect((await message(ann, eve)).status).toBe(403);
    expect((await post(ann, `/users/${eve.id}/follow`)).status).toBe(403);
    expect((await post(ann, "/friends", { friendId: eve.id })).status).toBe(403);
    // The blocked one cannot lift it.
    expect((await remove(eve, `/friends/${ann.id}/block`)).body).toEqual({ blocked: false });
    expect((await message(eve, ann)).status).toBe(403);
    expect((await remove(ann, `/friends/${eve.id}/block`)).body).toEqual({ blocked: false });
    expect((await message(eve, ann)).status).toBe(201);
    expect((await post(eve, `/users/${ann.id}/follow`)).status).toBe(200);
  });

  it("is known to who blocked alone", async () => {
    const [ann, eve] = [await mintUser("ann"), await mintUser("eve")];
    await openHub(ann);
    await post(ann, `/friends/${eve.id}/block`);
    await post(ann, `/friends/${eve.id}/block`);
    expect(await friendsOf(ann, "blocked")).toEqual([
      { user: briefOf(eve), status: "blocked", direction: "outgoing", since: expect.any(String) },
    ]);
    expect(await friendsOf(eve, "blocked")).toEqual([]);
    expect((await get(eve, `/users/${ann.id}/status`)).body).toEqual({ isOnline: false, lastSeen: null });
  });

  it("withdraws a request that was pending", async () => {
    const [ann, eve] = [await mintUser("ann"), await mintUser("eve")];
    await post(eve, "/friends", { friendId: ann.id });
    await post(ann, `/friends/${eve.id}/block`);
    expect((await post(ann, `/friends/${eve.id}/accept`)).status).toBe(404);
    expect(await friendsOf(eve, "pending")).toEqual([]);
  });

  it("needs a token and somebody else", async () => {
    const ann = await mintUser("ann");
    expect((await post(null, `/friends/${ann.id}/block`)).status).toBe(401);
    expect((await remove(null, `/friends/${ann.id}/block`)).status).toBe(401);
    expect((await post(ann, `/friends/${ann.id}/block`)).status).toBe(400);
    expect((await post(ann, "/friends/x/block")).status).toBe(404);
    expect((await post(ann, `/friends/${UNKNOWN}/block`)).status).toBe(404);
    expect((await remove(ann, `/friends/${UNKNOWN}/block`)).status).toBe(404);
  });
});
