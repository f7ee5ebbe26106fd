// @vitest-environment happy-dom
/** @roomcast/react as it is built, in a page in strict mode, against a real server. */
import { answerOf } from "@roomcast/client";
import {
  RoomcastProvider,
  useNotifications,
  usePresence,
  useRoom,
  useRooms,
  useSocket,
  useStreamChat,
  useUpload,
} from "@roomcast/react";
import { createElement } from "react";
import { renderToString } from "react-dom/server";
import { afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { apiOf, makeRoom, type Person, register, renderHook, until, url } from "./support.ts";

let ann: Person;
let bob: Person;
beforeAll(async () => {
  [ann, bob] = [await register(), await register()];
});
afterEach(() => void vi.unstubAllGlobals());

/** All sockets that are made from now on. */
function countSockets(): WebSocket[] {
  const opened: WebSocket[] = [];
  class Counted extends WebSocket {
    constructor(address: string | URL, protocols?: string | string[]) {
      super(address, protocols);
      opened.push(this);
    }
  }
  vi.stubGlobal("WebSocket", Counted);
  return opened;
}

const openIn = (sockets: WebSocket[]) => sockets.filter(({ readyState }) => readyState <= WebSocket.OPEN).length;

async function talk() {
  const { id } = await makeRoom(ann, bob);
  const anns = renderHook(() => useRoom(id), ann);
  const bobs = renderHook(() => useRoom(id), bob);
  await until(() => anns.current.room && bobs.current.onlineCount === 2);
  const contents = (room: typeof anns) => room.current.messages.map(({ content }) => content);
  return { id, anns, bobs, contents };
}

describe("useRoom", () => {
  it("shows what one writes at once, and what others write as it comes, each once and in order", async () => {
    const { anns, bobs, contents } = await talk();
    anns.current.send({ content: "one" });
    await until(() => anns.current.messages[0]?.state === "sending");
    const [{ key = "" } = {}] = anns.current.messages;
    anns.current.send({ content: "two" });
    await until(() => bobs.current.messages.length === 2);
    bobs.current.send({ content: "three", replyTo: bobs.current.messages[0]?.id ?? null });
    await until(() =>
      [anns, bobs].every(({ current }) => current.messages.filter(({ state }) => state === "sent").length === 3),
    );
    expect([contents(anns), contents(bobs)]).toEqual([
      ["one", "two", "three"],
      ["one", "two", "three"],
    ]);
    expect(anns.current.messages[0]).toMatchObject({ key, userId: ann.id, state: "sent" });
    expect(anns.current.messages[2]?.replyTo).toBe(anns.current.messages[0]?.id);
  });

  it("shows edits, reactions and deletions at once, tells the others, and takes back what is refused", async () => {
    const { anns, bobs } = await talk();
    anns.current.send({ content: "helo" });
    await until(() => bobs.current.messages[0]?.state === "sent" && anns.current.messages[0]?.state === "sent");
    const id = anns.current.messages[0]?.id ?? "";
    const edited = anns.current.edit(id, "hello");
    await until(() => anns.current.messages[0]?.content === "hello");
    const reacted = bobs.current.react(id, "👍");
    await until(() => bobs.current.messages[0]?.reactions[0]?.count === 1);
    await Promise.all([edited, reacted]);
    await until(() => anns.current.messages[0]?.reactions[0]?.userIds.includes(bob.id));
    await until(() => bobs.current.messages[0]?.editedAt && bobs.current.messages[0].content === "hello");
    await bobs.current.react(id, "👍");
    await until(() => anns.current.messages[0]?.reactions.length === 0);
    await expect(bobs.current.edit(id, "not mine")).rejects.toMatchObject({ code: "FORBIDDEN" });
    await until(() => bobs.current.messages[0]?.content === "hello");
    await anns.current.remove(id);
    await until(() => [anns, bobs].every(({ current }) => current.messages.length === 0));
  });

  it("without a network, messages wait with their state, and go out once when it is back", async () => {
    const { id, anns, bobs, contents } = await talk();
    window.dispatchEvent(new Event("offline"));
    for (const content of ["one", "two", "three"]) anns.current.send({ content });
    await until(() => anns.current.messages.length === 3);
    expect(anns.current.messages.map(({ state }) => state)).toEqual(["sending", "sending", "sending"]);
    expect(anns.current.status).not.toBe("open");
    window.dispatchEvent(new Event("online"));
    await until(
      () => anns.current.messages.every(({ state }) => state === "sent") && bobs.current.messages.length === 3,
    );
    expect([contents(anns), contents(bobs)]).toEqual([
      ["one", "two", "three"],
      ["one", "two", "three"],
    ]);
    const { messages } = await answerOf(apiOf(ann).rooms[":id"].messages.$get({ param: { id } }));
    expect(messages).toHaveLength(3);
  });

  it("what was unsent when the app was closed goes out when it is opened, whichever room is shown", async () => {
    const { id } = await makeRoom(ann, bob);
    const said = {
      clientMessageId: "kept",
      createdAt: 1,
      state: "sending",
      data: { roomId: id, afterSeq: 0, said: { content: "kept" } },
    };
    localStorage.setItem(`roomcast.outbox:${ann.id}:rooms:kept`, JSON.stringify(said));
    renderHook(() => null, ann, { storage: localStorage });
    const bobs = renderHook(() => useRoom(id), bob);
    await until(() => bobs.current.messages[0]?.content === "kept");
    await until(() => localStorage.length === 0);
  });

  it("shows a refused message as failed, until it is taken back", async () => {
    const { anns } = await talk();
    anns.current.send({ content: "x".repeat(5001) });
    await until(() => anns.current.messages[0]?.state === "failed");
    expect(anns.current.messages[0]?.error?.code).toMatch(/^INVALID/);
    anns.current.discard(anns.current.messages[0]?.clientMessageId ?? "");
    await until(() => anns.current.messages.length === 0);
  });

  it("what is said to a room that closed for good has failed, and holds up no other room", async () => {
    const [foreign, own] = [await makeRoom(ann), await makeRoom(ann, bob)];
    const bobs = renderHook(() => ({ foreign: useRoom(foreign.id), own: useRoom(own.id) }), bob);
    await until(() => bobs.current.foreign.status === "closed" && bobs.current.own.status === "open");
    for (const content of ["let me in", "please"]) bobs.current.foreign.send({ content });
    bobs.current.own.send({ content: "elsewhere" });
    await until(() => bobs.current.own.messages[0]?.state === "sent");
    expect(bobs.current.foreign.messages.map(({ content, state }) => [content, state])).toEqual([
      ["let me in", "failed"],
      ["please", "failed"],
    ]);
  });

  it("what is unsent goes out by a token that has come meanwhile, without a storage too", async () => {
    const { id, anns, bobs } = await talk();
    window.dispatchEvent(new Event("offline"));
    anns.current.send({ content: "written before" });
    await until(() => anns.current.messages.length === 1);
    const { token } = await answerOf(apiOf(ann).auth.refresh.$post());
    anns.rerender({ token });
    await until(() => bobs.current.messages[0]?.content === "written before");
    await until(() => anns.current.messages[0]?.state === "sent");
    const { messages } = await answerOf(apiOf(ann).rooms[":id"].messages.$get({ param: { id } }));
    expect(messages).toHaveLength(1);
  });

  it("shows who types and how far others have read", async () => {
    const { anns, bobs } = await talk();
    anns.current.type();
    await until(() => bobs.current.typing.length === 1);
    expect(bobs.current.typing[0]?.userId).toBe(ann.id);
    anns.current.send({ content: "done" });
    await until(() => bobs.current.messages.length === 1 && bobs.current.typing.length === 0);
    bobs.current.markRead();
    await until(() => anns.current.reads.get(bob.id) === bobs.current.messages[0]?.seq);
  });

  it("pages back through history, oldest first, nothing twice", async () => {
    const { id } = await makeRoom(ann);
    const param = { id };
    const written = Array.from({ length: 52 }, (_, index) => String(index + 1));
    const post = (content: string) => answerOf(apiOf(ann).rooms[":id"].messages.$post({ param, json: { content } }));
    await Promise.all(written.map(post));
    const room = renderHook(() => useRoom(id), ann);
    await until(() => room.current.messages.length === 50);
    expect(room.current.hasOlder).toBe(true);
    await room.current.loadOlder();
    await until(() => room.current.messages.length === 52);
    expect(room.current.messages.map(({ seq }) => seq)).toEqual(written.map(Number));
    expect(new Set(room.current.messages.map(({ content }) => content))).toEqual(new Set(written));
    expect(room.current.hasOlder).toBe(false);
  });

  it("a room that one may not see says why, and is not tried again", async () => {
    const { id } = await makeRoom(ann);
    const room = renderHook(() => useRoom(id), bob);
    await until(() => room.current.status === "closed");
    expect(room.current).toMatchObject({ why: { code: 4003 }, isLoading: false, messages: [] });
  });

  it("in strict mode and in two components, one connection is opened, and none is left", async () => {
    const { id } = await makeRoom(ann);
    const sockets = countSockets();
    const both = renderHook(() => [useRoom(id), useRoom(id)] as const, ann);
    await until(() => both.current[1].status === "open" && both.current[0].room);
    expect([sockets.length, openIn(sockets)]).toEqual([1, 1]);
    both.unmount();
    await until(() => openIn(sockets) === 0);
    expect(sockets).toHaveLength(1);
  });
});

function Everything() {
  const { room, messages } = useRoom("room");
  useSocket();
  useRooms();
  usePresence(1);
  useUpload();
  useStreamChat(1);
  return createElement("p", null, `${useNotifications().unseenCount} ${room?.name ?? "…"} ${messages.length}`);
}

describe("on a server", () => {
  it("all hooks render, and nothing is opened", () => {
    const sockets = countSockets();
    const fetching = vi.fn();
    vi.stubGlobal("fetch", fetching);
    const props = { url, token: "t", userId: 1 };
    const html = renderToString(createElement(RoomcastProvider, props, createElement(Everything)));
    expect(html).toBe("<p>0 … 0</p>");
    expect([sockets.length, fetching.mock.calls.length]).toEqual([0, 0]);
  });
});

describe("the other hooks", () => {
  it("useSocket hears and sends on the user's own socket", async () => {
    const heard: string[] = [];
    // What a backend publishes comes by its type, as every frame does.
    const onPublished = { "message:new": ({ type }: { type: string }) => heard.push(type) };
    const on = { "message:new": ({ content }: { content: string }) => heard.push(content) };
    const events = renderHook(() => useSocket({ on, onPublished }), bob);
    await until(() => events.current.status === "open");
    await answerOf(apiOf(ann).messages.$post({ json: { receiverId: bob.id, content: "direct" } }));
    await until(() => heard.length === 2);
    const { messageIds } = await events.current.send("message:mark_seen", { conversationWith: ann.id });
    expect([heard, messageIds.length]).toEqual([["direct", "message:new"], 1]);
  });

  it("useNotifications shows them live, counts, and marks them", async () => {
    const mine = renderHook(() => useNotifications(), bob);
    await until(() => !mine.current.isLoading);
    await answerOf(apiOf(ann).users[":id"].follow.$post({ param: { id: bob.id } }));
    await until(() => mine.current.notifications[0]?.type === "follow" && mine.current.unseenCount === 1);
    await mine.current.markSeen();
    await until(() => mine.current.unseenCount === 0 && mine.current.notifications[0]?.seen);
  });

  it("useRooms hears live of an invitation, of what is said and unread, and of a removal", async () => {
    const mine = renderHook(() => useRooms(), bob);
    await until(() => mine.current.rooms);
    const room = await makeRoom(ann, bob);
    const shown = () => mine.current.rooms?.find(({ id }) => id === room.id);
    await until(shown);
    const param = { id: room.id };
    await answerOf(apiOf(ann).rooms[":id"].messages.$post({ param, json: { content: "are you there?" } }));
    await until(() => shown()?.lastMessage?.content === "are you there?" && shown()?.unreadCount === 1);
    expect(mine.current.rooms?.[0]?.id).toBe(room.id);
    await answerOf(apiOf(ann).rooms[":id"].members[":userId"].$delete({ param: { ...param, userId: bob.id } }));
    await until(() => mine.current.rooms && !shown());
  });

  it("useRooms lists them; a private room with somebody is made once", async () => {
    const mine = renderHook(() => useRooms(), ann);
    await until(() => mine.current.rooms);
    const first = await mine.current.create({ isGroup: false, memberIds: [bob.id] });
    const again = await mine.current.create({ isGroup: false, memberIds: [bob.id] });
    await until(() => mine.current.rooms?.[0]?.id === first.id);
    expect([again.id, mine.current.rooms?.filter(({ id }) => id === first.id).length]).toEqual([first.id, 1]);
  });

  it("usePresence says who is here", async () => {
    const room = renderHook(() => useSocket(), ann);
    await until(() => room.current.status === "open");
    const presence = renderHook(() => usePresence(ann.id), bob);
    await until(() => presence.current.isOnline === true);
  });

  it("useStreamChat talks beside a stream", async () => {
    const { id } = await answerOf(apiOf(ann).streams.$post({ json: { title: "Evening" } }));
    const anns = renderHook(() => useStreamChat(id), ann);
    const bobs = renderHook(() => useStreamChat(id), bob);
    await until(() => !anns.current.isLoading && bobs.current.viewerCount === 2);
    bobs.current.send({ message: "hello" });
    await until(() => anns.current.messages[0]?.message === "hello");
    await until(() => bobs.current.messages[0]?.state === "sent" && bobs.current.messages.length === 1);
    await anns.current.remove(anns.current.messages[0]?.id ?? "");
    await until(() => bobs.current.messages.length === 0);
  });

  it("useUpload sends a file with its progress, for a message that others open; a refusal is told in words", async () => {
    const { id } = await makeRoom(ann, bob);
    const upload = renderHook(() => useUpload(), ann);
    await until(() => upload.current);
    const text = "data:image/gif;base64,R0lGODlhAQABAAAAACwAAAAAAQABAAA=";
    const bytes = Uint8Array.from(atob(text.split(",")[1] ?? ""), (letter) => letter.charCodeAt(0));
    const fileId = await upload.current.start(new File([bytes], "dot.gif", { type: "image/gif" }), { folder: "rooms" });
    await until(() => upload.current.state === "done");
    expect(upload.current).toMatchObject({ fileId, progress: 1, sentBytes: bytes.length });
    const anns = renderHook(() => useRoom(id), ann);
    const bobs = renderHook(() => useRoom(id), bob);
    await until(() => anns.current.status === "open");
    // Making room for the next takes nothing from the file.
    upload.current.cancel();
    await until(() => upload.current.state === "none");
    anns.current.send({ content: "", type: "image", fileId });
    await until(() => bobs.current.messages[0]?.fileUrl);
    const headers = { Authorization: `Bearer ${bob.token}` };
    const opened = await fetch(new URL(bobs.current.messages[0]?.fileUrl ?? "", url), { headers });
    expect([opened.status, (await opened.arrayBuffer()).byteLength]).toEqual([200, bytes.length]);
    const refused = upload.current.start(new File(["MZ"], "virus.exe"));
    await expect(refused).rejects.toMatchObject({ code: "UNSUPPORTED_MEDIA_TYPE", status: 415 });
    await until(() => upload.current.state === "failed");
  });

  it("a token that the service knows no more ends the session", async () => {
    const person = await register();
    await answerOf(apiOf(person).auth.logout.$post());
    const onSignedOut = vi.fn();
    const events = renderHook(() => useSocket(), person, { onSignedOut });
    await until(() => events.current.status === "closed");
    expect(events.current.why?.code).toBe(4001);
    expect(onSignedOut).toHaveBeenCalled();
  });
});
