/** @roomcast/client as people get it. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";

const tarball = inject("tarballs")["@roomcast/client"] ?? "";

let project: string;
beforeAll(() => {
  project = mkdtempSync(join(tmpdir(), "roomcast-project-"));
  writeFileSync(join(project, "package.json"), JSON.stringify({ name: "app", private: true, type: "module" }));
  execFileSync("npm", ["install", "--prefer-offline", "--no-audit", "--no-fund", tarball], { cwd: project });
});
afterAll(() => rmSync(project, { recursive: true, force: true }));

describe("the packed client", () => {
  it("signs in, opens a socket, sends and hears, in a project that has nothing else", () => {
    writeFileSync(
      join(project, "app.js"),
      `import { answerOf, roomcast, RoomcastSocket } from "@roomcast/client";
       const url = process.argv[2];
       const register = (username) => answerOf(roomcast(url).auth.register.$post({
         json: { username, email: username + "@example.com", password: "correct horse" } }));
       const [ann, bob] = await Promise.all(["ann_" + Date.now(), "bob_" + Date.now()].map(register));
       const socket = new RoomcastSocket({ url, token: bob.token });
       socket.on("message:new", ({ content }) => { console.log(content); socket.close(); });
       await socket.send("message:mark_seen", { conversationWith: ann.user.id });
       await answerOf(roomcast(url, { token: ann.token }).messages.$post({ json: { receiverId: bob.user.id, content: "hello" } }));`,
    );
    const printed = execFileSync(process.execPath, ["app.js", inject("roomcastUrl")], {
      cwd: project,
      encoding: "utf8",
      timeout: 20_000,
    });
    expect(printed.trim()).toBe("hello");
  });

  it("is typed: a wrong field does not compile", () => {
    writeFileSync(
      join(project, "app.ts"),
      `import { answerOf, roomcast, RoomcastSocket, type Schema } from "@roomcast/client";
       const api = roomcast("https://rooms.example", { token: "t" });
       const message: Schema["DirectMessage"] = await answerOf(api.messages.$post({ json: { receiverId: 1, content: "hello" } }));
       const { messages } = await answerOf(api.messages.with[":userId"].$get({ param: { userId: message.senderId }, query: { limit: 5 } }));
       messages[0]?.content.length;
       // @ts-expect-error no such field
       message.noSuchField;
       // @ts-expect-error content is required
       api.messages.$post({ json: { receiverId: 1 } });
       const socket = new RoomcastSocket({ url: "https://rooms.example", token: "t" });
       socket.on("message:new", ({ senderId }) => senderId.toFixed());
       // @ts-expect-error no such frame
       socket.on("message:nothing", () => {});
       const room = new RoomcastSocket({ url: "https://rooms.example", token: "t", socket: "/rooms/{roomId}/ws", params: { roomId: "r" } });
       await room.send("send_message", { content: "hello" });`,
    );
    const options = { module: "esnext", moduleResolution: "bundler", target: "es2024", strict: true, noEmit: true };
    const config = { compilerOptions: { ...options, lib: ["esnext", "dom"], types: [] }, files: ["app.ts"] };
    writeFileSync(join(project, "tsconfig.json"), JSON.stringify(config));
    execFileSync("tsc", ["-p", project], { encoding: "utf8" });
  });
});
