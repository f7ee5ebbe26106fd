import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { BACKEND } from "../src/auth/identities.ts";
import { costOf, mintUser } from "./support/api.ts";
import { comment, expectInert, mintVideo, post, remove } from "./support/social.ts";

const UNKNOWN = 999_999_999;

describe("a report", () => {
  it("is made of a video, a comment or a person", async () => {
    const [ann, bob] = [await mintUser("ann"), await mintUser("bob")];
    const video = await mintVideo(ann);
    const said = await comment(ann, video.id, "rude");
    for (const [targetType, targetId] of [
      ["video", video.id],
      ["comment", said.body.id],
      ["user", ann.id],
    ]) {
      const answer = await post(bob, "/reports", { targetType, targetId, reason: "spam", details: "again & again" });
      expect(answer.status).toBe(201);
      expect(answer.body).toEqual({
        id: expect.any(Number),
        reporterId: bob.id,
        targetType,
        targetId,
        reason: "spam",
        details: "again & again",
        status: "pending",
        result: null,
        resolvedAt: null,
        createdAt: expect.stringMatching(/\.\d{3}Z$/),
      });
      expect(costOf(answer).d1_queries).toBeLessThanOrEqual(3);
    }
  });

  it("of the same thing by the same person is one while it is pending, however parallel", async () => {
    const [ann, bob, cat] = [await mintUser("ann"), await mintUser("bob"), await mintUser("cat")];
    const report = (by: { token: string }, reason: string) =>
      post(by, "/reports", { targetType: "user", targetId: ann.id, reason });
    const answers = await Promise.all(Array.from({ length: 10 }, (_, n) => report(bob, `reason ${n}`)));
    expect(answers.map(({ status }) => status).sort()).toEqual([...Array(9).fill(200), 201]);
    expect(new Set(answers.map(({ body }) => body.id)).size).toBe(1);
    const made = answers.find(({ status }) => status === 201)?.body;
    for (const { body } of answers) expect(body).toEqual(made);
    expect((await report(cat, "too")).status).toBe(201);
    await env.DB.prepare("UPDATE reports SET status = 'rejected' WHERE id = ?").bind(made.id).run();
    const next = await report(bob, "still");
    expect(next.status).toBe(201);
    expect(next.body.id).not.toBe(made.id);
  });

  it("needs a target that is there", async () => {
    const [ann, bob, gone] = [await mintUser("ann"), await mintUser("bob"), await mintUser("gone")];
    const video = await mintVideo(ann);
    const said = await comment(ann, video.id, "rude");
    await remove(ann, `/comments/${said.body.id}`);
    await remove(gone, "/auth/me");
    for (const [targetType, targetId] of [
      ["video", UNKNOWN],
      ["comment", UNKNOWN],
      ["comment", said.body.id],
      ["user", UNKNOWN],
      ["user", gone.id],
    ]) {
      expect((await post(bob, "/reports", { targetType, targetId, reason: "spam" })).status).toBe(404);
    }
    const { n } = (await env.DB.prepare("SELECT count(*) AS n FROM reports WHERE reporter_id = ?")
      .bind(bob.id)
      .first<{ n: number }>()) ?? { n: -1 };
    expect(n).toBe(0);
  });

  it("names a person by number, externalId, username or @username; of all else the number alone", async () => {
    const [ann, eve] = [await mintUser("ann"), await mintUser("eve")];
    const video = await mintVideo(ann);
    const subject = `person of the backend ${ann.id}`;
    await env.DB.prepare("INSERT INTO identities (issuer, subject, user_id) VALUES (?, ?, ?)")
      .bind(BACKEND, subject, ann.id)
      .run();
    for (const name of [ann.username, `@${ann.username}`, subject, String(ann.id)]) {
      const bob = await mintUser("bob");
      const { status, body } = await post(bob, "/reports", { target_type: "user", target_id: name, reason: "spam" });
      expect([status, body.targetId]).toEqual([201, ann.id]);
      const ofVideo = { targetType: "video", reason: "spam" };
      const answer = await post(bob, "/reports", { ...ofVideo, targetId: name });
      expect(answer.status).toBe(name === String(ann.id) ? 404 : 400);
      expect((await post(bob, "/reports", { ...ofVideo, targetId: String(video.id) })).status).toBe(201);
    }
    const byName = (by: { token: string }, targetId: string, reason = "spam") =>
      post(by, "/reports", { targetType: "user", targetId, reason });
    expect((await byName(eve, `@${eve.username}`)).status).toBe(400);
    for (const nobody of ["1 OR 1=1", "@nobody here"]) expect((await byName(eve, nobody)).status).toBe(404);
    const wrong = await byName(eve, ann.username, "");
    expect(wrong.body.error.details).toMatchObject([{ path: "reason" }]);
  });

  it.each([
    ["an unknown kind of target", { targetType: "message" }, "targetType"],
    ["an id that is none", { targetType: "video", targetId: "1 OR 1=1" }, "targetId"],
    ["a user's id that is none", { targetId: 0 }, "targetId"],
    ["no reason", { reason: "" }, "reason"],
    ["a reason of 501 characters", { reason: "x".repeat(501) }, "reason"],
    ["details of 5001 characters", { details: "x".repeat(5001) }, "details"],
  ])("with %s is refused", async (_what, wrong, path) => {
    const [ann, bob] = [await mintUser("ann"), await mintUser("bob")];
    const answer = await post(bob, "/reports", { targetType: "user", targetId: ann.id, reason: "spam", ...wrong });
    expect(answer.status).toBe(400);
    expect(answer.body.error.details).toMatchObject([{ path }]);
  });

  it("is of somebody else, by somebody signed in", async () => {
    const ann = await mintUser("ann");
    const body = { targetType: "user", targetId: ann.id, reason: "spam" };
    expect((await post(ann, "/reports", body)).status).toBe(400);
    expect((await post(null, "/reports", body)).status).toBe(401);
  });

  it("carries no markup, decides nothing by itself, and has a reason of up to 500 characters", async () => {
    const [ann, bob] = [await mintUser("ann"), await mintUser("bob")];
    const hostile = "<img src=x onerror=alert(1)>";
    const { body } = await post(bob, "/reports", {
      targetType: "user",
      targetId: ann.id,
      reason: hostile.padEnd(500, "!"),
      details: hostile,
      status: "resolved",
      reporterId: ann.id,
      result: "banned",
    });
    expectInert(body.reason, hostile.padEnd(500, "!"));
    expectInert(body.details, hostile);
    expect(body).toMatchObject({ status: "pending", reporterId: bob.id, result: null });
  });
});
