/**
 * `npm run test:restore`: backs up a running service's database and files, goes on, loses what came since, and restores; then
 * looks at what old and new users see. Objects live on throughout, as they do in production.
 */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { root } from "../../scripts/tools.ts";
import { startServer } from "./server.ts";

const PORT = 8971;

/** Beside the server, and without keeping this process from answering it. */
async function runScript(name: "backup" | "restore", ...args: string[]): Promise<string> {
  const script = spawn(process.execPath, [join(root, "scripts", `${name}.ts`), ...args], { cwd: root });
  const output: string[] = [];
  for (const stream of [script.stdout, script.stderr]) stream.on("data", (text) => output.push(String(text)));
  const [code] = await once(script, "close");
  assert.equal(code, 0, `${name}: ${output.join("")}`);
  return output.join("");
}

type Frame = { type: string; seq?: number; data?: { content?: string } };

/** A socket's frames, and its close. */
function watch(url: string) {
  const socket = new WebSocket(url);
  const frames: Frame[] = [];
  const waiting = new Set<() => void>();
  let code: number | undefined;
  const wake = () => {
    for (const look of waiting) look();
  };
  socket.addEventListener("message", ({ data }) => {
    frames.push(JSON.parse(String(data)));
    wake();
  });
  socket.addEventListener("close", (event) => {
    code = event.code;
    wake();
  });
  const until = <T>(what: string, find: () => T | undefined): Promise<T> =>
    new Promise((resolve, reject) => {
      const late = setTimeout(() => reject(new Error(`Waited in vain for ${what}: ${JSON.stringify(frames)}`)), 20_000);
      const look = () => {
        const found = find();
        if (found === undefined) return;
        clearTimeout(late);
        waiting.delete(look);
        resolve(found);
      };
      waiting.add(look);
      look();
    });
  return {
    frames,
    next: (type: string) => until(type, () => frames.find((frame) => frame.type === type)),
    texts: (count: number) =>
      until(`${count} messages`, () => {
        const texts = frames.flatMap(({ type, data }) => (type === "message:new" ? [data?.content] : []));
        return texts.length >= count ? texts : undefined;
      }),
    closed: () => until("the close", () => code),
    close: () => socket.close(),
  };
}

test("a service that is set back to its backup goes on", { timeout: 300_000 }, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "roomcast-backup-"));
  const server = await startServer(PORT);
  t.after(async () => {
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
  });
  const local = ["--persist-to", server.folder];
  const register = async (username: string) => {
    const body = { username, email: `${username}@example.com`, password: "correct horse" };
    const answer = await server.call("/auth/register", { method: "POST", body });
    assert.equal(answer.status, 201, JSON.stringify(answer.body));
    return { id: Number(answer.body.user.id), token: String(answer.body.token) };
  };
  const events = ({ token }: { token: string }, query = "") =>
    watch(`ws://127.0.0.1:${PORT}/api/v1/ws?token=${token}&heartbeat=client${query}`);
  const send = async (from: { token: string }, to: { id: number }, content: string) => {
    const body = { receiverId: to.id, content };
    assert.equal((await server.call("/messages", { method: "POST", token: from.token, body })).status, 201);
  };
  const search = async (by: { token: string }, word: string) =>
    (await server.call(`/users?search=${word}`, { token: by.token })).body.users.map(
      ({ username }: { username: string }) => username,
    );
  const upload = async ({ token }: { token: string }, name: string) => {
    const form = new FormData();
    form.set("file", new Blob([`%PDF-1.7\nthe words of ${name}`]), name);
    form.set("folder", "kept");
    const headers = { Authorization: `Bearer ${token}` };
    const answer = await fetch(`${server.origin}/api/v1/files/upload`, { method: "POST", headers, body: form });
    assert.equal(answer.status, 201, await answer.clone().text());
    return (await answer.json()).data;
  };
  const view = ({ token }: { token: string }, name: string) =>
    fetch(`${server.origin}/api/v1/files/view/kept/${name}`, { headers: { Authorization: `Bearer ${token}` } });

  const [ann, bob] = [await register("ann"), await register("bob")];
  const file = await upload(ann, "kept.pdf");
  await send(ann, bob, "kept");
  const before = events(bob, "&since=0");
  await before.texts(1);
  let isBackedUp = false;
  const writing = (async () => {
    // Of nobody's, and not in what is compared below.
    while (!isBackedUp) {
      await server.call("/auth/ws-ticket", { method: "POST", token: ann.token });
      await sleep(20);
    }
  })();
  console.log(await runScript("backup", "--to", join(folder, "one"), ...local));
  isBackedUp = true;
  await writing;

  const lost = await register("lost");
  const theirs = events(lost, "&since=0");
  for (const text of ["lost 1", "lost 2", "lost 3"]) await send(ann, bob, text);
  await send(ann, lost, "for the lost one alone");
  await before.texts(4);
  await theirs.texts(1);
  const gone = await fetch(`${server.origin}/api/v1/files/kept/${file.name}`, {
    method: "DELETE",
    headers: { Authorization: `Bearer ${ann.token}` },
  });
  assert.ok(gone.ok, await gone.text());

  console.log(await runScript("restore", "--from", join(folder, "one"), ...local));

  await t.test("old users get their events, once; their sockets come back and refetch", async () => {
    await send(ann, bob, "first after");
    assert.equal(await before.closed(), 1012);
    const after = events(bob, "&since=0");
    assert.deepEqual(await after.texts(1), ["first after"]);
    await send(ann, bob, "second after");
    assert.deepEqual(await after.texts(2), ["first after", "second after"]);
    const { body } = await server.call("/messages/inbox", { token: bob.token });
    const inbox = body.messages.map(({ content }: { content: string }) => content);
    assert.deepEqual(inbox, ["kept", "first after", "second after"]);
  });

  await t.test("a new user gets a new number, and sees nothing of anybody else's", async () => {
    const fresh = await register("lost");
    assert.ok(fresh.id > lost.id + 900_000, `${fresh.id} after ${lost.id}`);
    const socket = events(fresh, "&since=0");
    await send(ann, fresh, "for the new one");
    assert.deepEqual(await socket.texts(1), ["for the new one"]);
    assert.equal((await server.call("/auth/me", { token: lost.token })).status, 401);
  });

  await t.test("search, files and counters are what they were", async () => {
    assert.deepEqual(await search(ann, "bo"), ["bob"]);
    const served = await view(ann, file.name);
    assert.deepEqual([served.status, await served.text()], [200, "%PDF-1.7\nthe words of kept.pdf"]);
    server.sql("UPDATE users SET role = 'admin' WHERE username = 'ann'");
    const { body } = await server.call("/admin/stats/overview", { token: ann.token });
    assert.equal(body.users.total, 3);
  });

  await t.test("a ban right after it closes every door", async () => {
    const socket = events(bob);
    await socket.next("connected");
    const body = { reason: "spam" };
    assert.equal(
      (await server.call(`/admin/users/${bob.id}/ban`, { method: "POST", token: ann.token, body })).status,
      200,
    );
    assert.equal(await socket.closed(), 4003);
    assert.equal(await events(bob).closed(), 4003);
  });

  await t.test("a second backup can be made, and `--renew` alone begins another generation", async () => {
    await runScript("backup", "--to", join(folder, "two"), ...local);
    const carol = await register("carol");
    const socket = events(carol);
    await socket.next("connected");
    await runScript("restore", "--renew", ...local);
    await send(ann, carol, "after");
    assert.equal(await socket.closed(), 1012);
    assert.deepEqual(await events(carol, "&since=0").texts(1), ["after"]);
  });
});
