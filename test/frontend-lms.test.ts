/** The learning platform's frontend, as it is written (SPEC 14): its own events, keys and order of calls. */
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { call, mintUser } from "./support/api.ts";
import { promote } from "./support/rooms.ts";
import { connectSocketIo } from "./support/socketio.ts";

describe("the course page", () => {
  it("joins a course that nobody made, talks, and shows who types", async () => {
    const [ann, bob] = [await mintUser("ann"), await mintUser("bob")];
    const [page, other] = [await connectSocketIo(ann), await connectSocketIo(bob)];
    // As in the component: no callback, and what follows does not wait.
    page.emit("chat:join_room", { courseId: "course-id" });
    page.emit("chat:send_message", { course_id: "course-id", message: "Hello!", message_type: "text" });
    expect(await page.next("chat:new_message")).toMatchObject({
      courseId: "course-id",
      userId: ann.id,
      userName: ann.username,
      message: "Hello!",
      messageType: "text",
    });
    other.emit("chat:join_room", { courseId: "course-id" });
    expect(await page.next("chat:user_joined")).toMatchObject({ courseId: "course-id", userId: bob.id });
    other.emit("chat:typing_start", { courseId: "course-id" });
    expect(await page.next("chat:user_typing")).toMatchObject({ userName: bob.username, isTyping: true });
    other.emit("chat:leave_room", { courseId: "course-id" });
    expect(await page.next("chat:user_left")).toMatchObject({ userId: bob.id });
    expect([...page.named("chat:error"), ...other.named("chat:error"), ...page.named("error")]).toEqual([]);
  });

  it("takes a first message by curl, and answers the course's history", async () => {
    const ann = await mintUser("ann");
    const path = "/chat/courses/course-by-curl/messages";
    const sent = await call(path, { method: "POST", token: ann.token, body: { message: "Hello!" } });
    expect(sent).toMatchObject({ status: 201, body: { courseId: "course-by-curl", message: "Hello!" } });
    expect((await call(path, { token: ann.token })).body.messages).toMatchObject([{ id: sent.body.id }]);
    expect((await call(`${path}/search?q=hello`, { token: ann.token })).body.messages).toHaveLength(1);
    expect((await call(`${path}/type/text`, { token: ann.token })).body.messages).toHaveLength(1);
    const statistics = await call("/chat/courses/course-by-curl/statistics", { token: ann.token });
    expect(statistics.body).toMatchObject({ totalMessages: 1, activeUsers: 1 });
  });

  it("goes on when a moderator takes the course over", async () => {
    const [ann, mod] = [await mintUser("ann"), await mintUser("mod")];
    await promote(env.DB, mod, "moderator");
    const page = await connectSocketIo(ann);
    page.emit("chat:join_room", { courseId: "course-adopted" });
    await page.next("chat:online_users");
    const body = { courseId: "course-adopted", name: "Adopted" };
    expect((await call("/chat/courses", { method: "POST", token: mod.token, body })).status).toBe(201);
    const message = { course_id: "course-adopted", message: "on", message_type: "text" };
    expect(await page.ask("chat:send_message", message)).toMatchObject({ success: true });
  });
});

describe("the lesson's call", () => {
  it("joins a session that nobody made, and signals with user ids in text", async () => {
    const [ann, bob] = [await mintUser("ann"), await mintUser("bob")];
    const [student, teacher] = [await connectSocketIo(ann), await connectSocketIo(bob)];
    const session = { sessionId: "session-id" };
    student.emit("webrtc:join_session", { ...session, displayName: "John Doe", role: "student" });
    expect(await student.next("webrtc:participants_list")).toMatchObject({
      sessionId: "session-id",
      participants: [{ userId: ann.id, displayName: "John Doe", role: "student" }],
    });
    teacher.emit("webrtc:join_session", { ...session, displayName: "Jane Roe", role: "teacher" });
    expect(await student.next("webrtc:user_joined")).toMatchObject({
      sessionId: "session-id",
      displayName: "Jane Roe",
    });
    const [toBob, toAnn] = [
      { ...session, targetUserId: String(bob.id) },
      { ...session, targetUserId: String(ann.id) },
    ];
    const candidate = { candidate: "candidate:1 1 UDP 1 192.0.2.1 9 typ host", sdpMid: "0", sdpMLineIndex: 0 };
    student.emit("webrtc:offer", { ...toBob, offer: { type: "offer", sdp: "v=0" } });
    expect(await teacher.next("webrtc:offer_received")).toEqual({
      sessionId: "session-id",
      fromUserId: ann.id,
      offer: { type: "offer", sdp: "v=0" },
    });
    teacher.emit("webrtc:answer", { ...toAnn, answer: { type: "answer", sdp: "v=0" } });
    expect(await student.next("webrtc:answer_received")).toMatchObject({ answer: { type: "answer", sdp: "v=0" } });
    teacher.emit("webrtc:ice_candidate", { ...toAnn, candidate });
    expect(await student.next("webrtc:ice_candidate_received")).toMatchObject({ fromUserId: bob.id, candidate });
    teacher.emit("webrtc:toggle_audio", { ...session, enabled: false });
    expect(await student.next("webrtc:user_audio_toggled")).toMatchObject({ userId: bob.id, enabled: false });
    teacher.emit("webrtc:raise_hand", session);
    expect(await student.next("webrtc:hand_raised")).toMatchObject({ userId: bob.id });
    teacher.emit("webrtc:leave_session", session);
    expect(await student.next("webrtc:user_left")).toMatchObject({ userId: bob.id });
    expect([...student.named("webrtc:error"), ...teacher.named("webrtc:error")]).toEqual([]);
  });
});
