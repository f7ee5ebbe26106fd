/** What files are called and where they open (SPEC 14, "Files' names and addresses"). */
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { config } from "../src/config.ts";
import { startContext } from "../src/context.ts";
import { foldOldRows } from "../src/db/folding.ts";
import { FileName } from "../src/features/files/contract.ts";
import { safeStem } from "../src/features/files/names.ts";
import { run } from "./support/admin.ts";
import { bearer, call, mintUser, ORIGIN } from "./support/api.ts";
import { folderName, read, uploadNamed } from "./support/files.ts";
import { create, fileOf, gif, patch } from "./support/tus.ts";

const ann = await mintUser("ann");
const bob = await mintUser("bob");

const remove = (by: { token: string }, { folder, name }: { folder: string; name: string }) =>
  call(`/files/${folder}/${encodeURIComponent(name)}`, { method: "DELETE", token: by.token });
const move = (by: { token: string }, folder: string, file: string, targetFile: string) =>
  call("/files/move", { method: "POST", token: by.token, body: { folder, file, targetFolder: folder, targetFile } });
const copy = (by: { token: string }, folder: string, file: string, targetFile: string) =>
  call("/files/copy", { method: "POST", token: by.token, body: { folder, file, targetFolder: folder, targetFile } });

const OTHER_NAME = /^avatar-[0-9a-z]{6}\.png$/;

describe("a file's name", () => {
  it("is the original name, and its address is absolute", async () => {
    const folder = folderName();
    const file = await uploadNamed(ann, "avatar.png", { folder });
    expect(file.name).toBe("avatar.png");
    expect(file.url).toBe(`${ORIGIN}/api/v1/files/view/${folder}/avatar.png`);
    expect((await read(file.url, bearer(ann))).status).toBe(200);
    expect((await read(file.url)).status).toBe(401);
  });

  it("gets six random characters if it is taken, in whatever spelling, by whomever", async () => {
    const folder = folderName();
    await uploadNamed(ann, "avatar.png", { folder });
    for (const [by, name] of [
      [ann, "avatar.png"],
      [bob, "Avatar.PNG"],
      [bob, "ａvatar.png"],
    ] as const) {
      expect((await uploadNamed(by, name, { folder })).name.toLowerCase().normalize("NFKC")).toMatch(OTHER_NAME);
    }
  });

  it("gets them if it ever was taken: an old address never shows another's bytes", async () => {
    const folder = folderName();
    const first = await uploadNamed(ann, "avatar.png", { folder, visibility: "public" });
    expect((await remove(ann, first)).status).toBe(200);
    expect((await uploadNamed(bob, "avatar.png", { folder, visibility: "public" })).name).toMatch(OTHER_NAME);
    expect((await read(first.url, bearer(bob))).status).toBe(404);
  });

  it("that was left by a move is given to no other file, by upload, move or copy; its own may come back", async () => {
    const folder = folderName();
    await uploadNamed(ann, "avatar.png", { folder });
    expect((await move(ann, folder, "avatar.png", "moved.png")).body.data.name).toBe("moved.png");
    const other = await uploadNamed(bob, "avatar.png", { folder });
    expect(other.name).toMatch(OTHER_NAME);
    expect((await move(bob, folder, other.name, "avatar.png")).status).toBe(409);
    expect((await copy(bob, folder, other.name, "avatar.png")).status).toBe(409);
    expect((await move(ann, folder, "moved.png", "avatar.png")).status).toBe(200);
    expect((await move(bob, folder, other.name, "moved.png")).status).toBe(409);
  });

  it("is one for each of twenty uploads at once", async () => {
    const folder = folderName();
    const files = await Promise.all(Array.from({ length: 20 }, () => uploadNamed(ann, "avatar.png", { folder })));
    expect(new Set(files.map(({ name }) => name)).size).toBe(20);
    expect(files.filter(({ name }) => name === "avatar.png")).toHaveLength(1);
  });

  it("of a file that was here before is kept from others, too, once cron has been there", async () => {
    const folder = folderName();
    const old = await uploadNamed(ann, "avatar.png", { folder });
    await run("DELETE FROM file_paths WHERE file_id = ?", old.id);
    await run("UPDATE files SET is_folded = 0 WHERE id = ?", old.id);
    await foldOldRows(startContext({ env, later: () => {} }));
    await remove(ann, old);
    expect((await uploadNamed(bob, "avatar.png", { folder })).name).toMatch(OTHER_NAME);
  });

  it("leaves nothing readable behind", async () => {
    const folder = folderName();
    const file = await uploadNamed(ann, "ann-miller-cv.pdf", { folder });
    await remove(ann, file);
    const kept = JSON.stringify(await run("SELECT * FROM file_paths WHERE file_id = ?", file.id));
    expect(kept).toContain(file.id);
    expect(kept).not.toMatch(/miller|folder-/);
  });

  it.each([
    ["My photo (1).png", "My photo -1.png"],
    ["../../etc/passwd.png", "passwd.png"],
    [".hidden.png", "hidden.png"],
    ["Übung „1“ 文件.PNG", "Übung -1- 文件.png"],
    ["<b>.png", "b.png"],
    ["???.png", "file.png"],
    ["a..png", "a.png"],
    ["archive.tar.gz", "archive.tar.gz"],
  ])("made safe: %s becomes %s", async (original, name) => {
    expect((await uploadNamed(ann, original, { folder: folderName() })).name).toBe(name);
  });

  it("is always one that a path takes", () => {
    const alphabet = [
      "a",
      "Z",
      "9",
      ".",
      " ",
      "-",
      "_",
      "é",
      "e\u0301",
      "文",
      "😀",
      "/",
      "\\",
      '"',
      "%",
      "\u202e",
      "\u2060",
    ];
    for (let seed = 1; seed <= 400; seed += 1) {
      const length = 1 + ((seed * 7) % 255);
      const text = Array.from({ length }, (_, at) => alphabet[(seed * 31 + at * at * 17 + at) % alphabet.length]).join(
        "",
      );
      const name = `${safeStem(`${text}.png`)}-abcdef.pptx`;
      expect(FileName.safeParse(name), name).toMatchObject({ success: true });
    }
  });

  it("is given to resumable uploads alike", async () => {
    const bytes = gif(40);
    const { location } = await create(40, { filename: `${folderName()}.gif` });
    expect((await patch(location, 0, bytes)).status).toBe(204);
    const file = await fileOf(location);
    expect(file).toMatchObject({ name: expect.stringMatching(/^folder-[0-9a-f]{8}\.gif$/) });
  });
});

describe("settings", () => {
  const withSettings = (more: object) => config({ ...env, ...more });

  it("PUBLIC_URL is an http(s) address, and counts as its origin", () => {
    expect(withSettings({ PUBLIC_URL: "https://api.example.com/" }).PUBLIC_URL).toBe("https://api.example.com");
    expect(withSettings({ PUBLIC_URL: "" }).PUBLIC_URL).toBeUndefined();
    expect(() => withSettings({ PUBLIC_URL: "api.example.com" })).toThrow(/PUBLIC_URL/);
    expect(() => withSettings({ PUBLIC_URL: "javascript:alert(1)" })).toThrow(/PUBLIC_URL/);
  });

  it("FILES_DEFAULT_VISIBILITY is private unless set", () => {
    expect(withSettings({}).FILES_DEFAULT_VISIBILITY).toBe("private");
    expect(withSettings({ FILES_DEFAULT_VISIBILITY: "public" }).FILES_DEFAULT_VISIBILITY).toBe("public");
    expect(() => withSettings({ FILES_DEFAULT_VISIBILITY: "secret" })).toThrow(/FILES_DEFAULT_VISIBILITY/);
  });
});
