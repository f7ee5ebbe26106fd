/** Text compared as people read it: one fold, for everything that is looked up or counted (SPEC 11). */
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { runCron } from "../src/cron.ts";
import { composed, fold, inert, showsNothing } from "../src/text.ts";
import { mintAdmin } from "./support/admin.ts";
import { call, mintUser, type TestUser } from "./support/api.ts";
import { form, sample } from "./support/samples.ts";

const tag = () => crypto.randomUUID().slice(0, 8);

describe("the fold", () => {
  /** What Unicode leaves unassigned or to private use has neither cases nor other forms. */
  const everyCharacter = function* () {
    for (let code = 0; code <= 0x10ffff; code += 1) {
      const character = String.fromCodePoint(code);
      if (/[^\p{Cn}\p{Co}\p{Cs}]/u.test(character)) yield character;
    }
  };

  it("changes nothing the second time, whatever the character", () => {
    const odd: string[] = [];
    for (const character of everyCharacter()) if (fold(fold(character)) !== fold(character)) odd.push(character);
    expect(odd).toEqual([]);
  });

  it("finds a character's capital, small and compatible forms alike", () => {
    const odd: string[] = [];
    for (const character of everyCharacter()) {
      const forms = [
        character.toUpperCase(),
        character.toLowerCase(),
        character.normalize("NFKD"),
        character.normalize("NFC"),
      ];
      if (forms.some((other) => fold(other) !== fold(character))) odd.push(character);
    }
    expect(odd).toEqual([]);
  });

  it.each([
    ["é in two pieces", "cafe\u0301", "café"],
    ["Hangul in pieces", "한국어".normalize("NFD"), "한국어"],
    ["capitals", "ÀÉÎ", "àéî"],
    ["a German capital", "STRASSE", "straße"],
    ["a Greek final", "ΟΔΟΣ", "οδος"],
    ["full width", "ＡＢＣ１", "abc1"],
    ["a ligature", "ﬁn", "fin"],
    ["a joiner", "x \u2060on", "x on"],
    ["a soft hyphen", "co\u00adop", "coop"],
    ["an emoji with and without its selector", "❤\uFE0F", "❤"],
  ])("takes %s for the same", (_what, one, other) => {
    expect(fold(one)).toBe(fold(other));
  });

  it("keeps what people read as different apart", () => {
    expect(new Set(["e", "é", "è", "ê"].map(fold)).size).toBe(4);
    expect(fold("1 < 2")).not.toBe(fold("1 2"));
  });

  it("of a text with nothing in it to be made inert changes nothing, and takes out what nobody sees", () => {
    const odd: string[] = [];
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is taken out.
    const unseen = /[\u0000-\u0008\u000B\u000C\u000E-\u001F\u007F\u202A-\u202E\u2066-\u2069]/;
    for (const character of everyCharacter()) {
      const expected = unseen.test(character) ? "12" : `1${character}2`;
      if (inert(`1${character}2`) !== expected) odd.push(character);
    }
    expect(odd).toEqual([]);
  });

  it("finds what was made inert by what was typed", () => {
    for (const typed of ["<script>", "javascript:alert(1)", "onclick = x"]) {
      expect(inert(typed)).not.toBe(typed);
      expect(fold(inert(typed))).toBe(fold(typed));
    }
  });
});

const NOTHING = [
  "",
  " ",
  "\u200b",
  "\u2060",
  "\u00ad",
  "\u200e",
  "\u2800",
  "\u3164",
  "\uffa0",
  "\ufe0f",
  "\u200b \u200d",
  "\u115f",
  "\u{e0020}",
  "\u00a0\u3000",
];

describe("text that shows nothing", () => {
  it("is empty, and what shows is not", () => {
    for (const text of NOTHING) expect([text, showsNothing(text)]).toEqual([text, true]);
    for (const text of ["👨‍👩‍👧", "❤\uFE0F", "🇫🇷", ".", "한", "\u0301a", "<\u20603"])
      expect([text, showsNothing(text)]).toEqual([text, false]);
  });

  it("is 400 wherever something has to be written", async () => {
    const [ann, bob] = [await mintUser("ann"), await mintUser("bob")];
    const room = (
      await call("/rooms", {
        method: "POST",
        token: ann.token,
        body: { name: "r", isGroup: true, memberIds: [bob.id] },
      })
    ).body;
    const video = (
      await call("/videos", {
        method: "POST",
        token: ann.token,
        body: { title: "v", videoUrl: "https://example.com/v.mp4" },
      })
    ).body;
    const stream = (await call("/streams", { method: "POST", token: ann.token, body: { title: "s" } })).body;
    for (const text of NOTHING) {
      const writes: [method: string, path: string, body: object][] = [
        ["POST", "/messages", { receiverId: bob.id, content: text }],
        ["POST", `/rooms/${room.id}/messages`, { content: text }],
        ["POST", "/rooms", { name: text, isGroup: true, memberIds: [bob.id] }],
        ["PATCH", `/rooms/${room.id}`, { name: text }],
        ["PATCH", "/auth/me", { displayName: text }],
        ["PATCH", "/auth/me", { fullName: text }],
        ["POST", "/videos", { title: text, videoUrl: "https://example.com/v.mp4" }],
        ["PATCH", `/videos/${video.id}`, { title: text }],
        ["POST", "/comments", { videoId: video.id, content: text }],
        ["POST", "/reports", { targetType: "video", targetId: video.id, reason: text }],
        ["PUT", `/streams/${stream.id}`, { title: text }],
        ["POST", "/auth/login", { username: text, password: "correct horse" }],
      ];
      for (const [method, path, body] of writes) {
        expect([
          text,
          path,
          (await call(path, { method, token: path === "/auth/login" ? undefined : ann.token, body })).status,
        ]).toEqual([text, path, 400]);
      }
    }
  });

  it("is stored as empty where nothing has to be written", async () => {
    const ann = await mintUser("ann");
    expect(
      (await call("/auth/me", { method: "PATCH", token: ann.token, body: { bio: "\u200b \u3164" } })).body.bio,
    ).toBe("");
  });

  it("counts as one character what is one when it is composed", async () => {
    const ann = await mintUser("ann");
    const name = "é".repeat(100);
    const { status, body } = await call("/auth/me", {
      method: "PATCH",
      token: ann.token,
      body: { displayName: name.normalize("NFD") },
    });
    expect([status, body.displayName]).toEqual([200, name]);
    const longer = await call("/auth/me", { method: "PATCH", token: ann.token, body: { displayName: `${name}é` } });
    expect([longer.status, longer.body.error.details]).toEqual([
      400,
      [{ path: "displayName", message: "may have 100 characters" }],
    ]);
  });
});

describe("an account", () => {
  const login = (username: string, password = "correct horse") =>
    call("/auth/login", { method: "POST", body: { username, password } });
  const wide = (text: string) => text.replace(/[!-~]/g, (char) => String.fromCharCode(char.charCodeAt(0) + 0xfee0));

  it("is found by its name and address as a keyboard writes them", async () => {
    const ann = await mintUser("ann");
    for (const typed of [ann.username, ann.email]) {
      for (const name of [
        `${typed} `,
        ` ${typed}`,
        `\u200e${typed}\u200f`,
        `\u00a0${typed}\u3000`,
        typed.toUpperCase(),
        wide(typed),
      ]) {
        expect([name, (await login(name)).status]).toEqual([name, 200]);
      }
    }
  });

  it("is registered without what a keyboard adds, and its address is kept as it was written", async () => {
    const name = `Ann_${tag()}`;
    const body = { username: ` ${name}\u200b`, email: `${name}@Example.com `, password: "correct horse" };
    const made = await call("/auth/register", { method: "POST", body });
    expect([made.status, made.body.user.username, made.body.user.email]).toEqual([201, name, `${name}@Example.com`]);
    for (const again of [
      { ...body, username: `other_${tag()}`, email: ` ${name.toLowerCase()}@EXAMPLE.com` },
      { ...body, username: `${name.toUpperCase()} `, email: `${tag()}@example.com` },
    ]) {
      expect((await call("/auth/register", { method: "POST", body: again })).status).toBe(409);
    }
  });

  it("has one budget of logins, however its name is spelled", async () => {
    const name = `nobody_${tag()}`;
    const spellings = [name, `${name} `, name.toUpperCase(), wide(name), `\u200e${name}`];
    const headers = { "CF-Connecting-IP": "10.9.8.7" };
    const answers: number[] = [];
    for (let at = 0; at < 12; at += 1) {
      const body = { username: spellings[at % spellings.length], password: "correct horse" };
      answers.push((await call("/auth/login", { method: "POST", body, headers })).status);
    }
    expect(answers).toEqual([...Array(10).fill(401), 429, 429]);
  });
});

describe("a person", () => {
  const found = async (by: TestUser, search: string) =>
    (await call(`/users?search=${encodeURIComponent(search)}`, { token: by.token })).body.users.map(
      ({ id }: { id: number }) => id,
    );
  const rename = (by: TestUser, names: object) => call("/auth/me", { method: "PATCH", token: by.token, body: names });

  it("is found however the letters of their name are encoded, and shown as they wrote it", async () => {
    const [ann, bob] = [await mintUser("ann"), await mintUser("bob")];
    const own = tag();
    await rename(ann, { displayName: `José ${own}`.normalize("NFD"), fullName: `Straße ${own}` });
    for (const search of [
      `José ${own}`,
      `José ${own}`.normalize("NFD"),
      `JOSÉ ${own}`,
      `jo\u00adsé ${own}`,
      `STRASSE ${own}`,
    ]) {
      expect([search, await found(bob, search)]).toEqual([search, [ann.id]]);
    }
    expect(await found(bob, `Jose ${own}`)).toEqual([]);
    expect((await call(`/users/${ann.id}`)).body.displayName).toBe(composed(`José ${own}`));
    await rename(ann, { displayName: `Иван ${own}` });
    expect(await found(bob, `José ${own}`)).toEqual([]);
    expect(await found(bob, `ИВАН ${own}`)).toEqual([ann.id]);
  });

  it("is found by two letters of another script, in whatever case", async () => {
    const [ann, bob] = [await mintUser("ann"), await mintUser("bob")];
    await rename(ann, { displayName: "Ёж" });
    expect(await found(bob, "ЁЖ")).toContain(ann.id);
    expect(await found(bob, "ёж".normalize("NFD"))).toContain(ann.id);
  });

  it("is found only by what the answer shows", async () => {
    const [ann, bob] = [await mintUser("ann"), await mintUser("bob")];
    const own = tag();
    await rename(ann, { fullName: `Full ${own}`, bio: `Bio ${own}`, phone: "+49 30 1234567" });
    const { body } = await call(`/users?search=${encodeURIComponent(`Full ${own}`)}`, { token: bob.token });
    expect(body.users).toMatchObject([{ id: ann.id, fullName: `Full ${own}` }]);
    for (const hidden of [`Bio ${own}`, ann.email, "1234567"]) expect(await found(bob, hidden)).toEqual([]);
  });

  it("is mentioned by a name that had to be made inert", async () => {
    const [ann, bob] = [await mintUser("ann"), await mintUser("online")];
    const video = (
      await call("/videos", {
        method: "POST",
        token: ann.token,
        body: { title: "v", videoUrl: "https://example.com/v.mp4" },
      })
    ).body;
    await env.DB.prepare("UPDATE users SET username = ?1 WHERE id = ?2")
      .bind(`on${tag().replace(/\d/g, "x").replace(/-/g, "")}`, bob.id)
      .run();
    const { username } = (await call(`/users/${bob.id}`)).body;
    await call("/comments", {
      method: "POST",
      token: ann.token,
      body: { videoId: video.id, content: `@${username} = the best` },
    });
    const { body } = await call("/notifications", { token: bob.token });
    expect(body.notifications).toMatchObject([{ type: "mention", target: { id: video.id } }]);
  });
});

describe("an admin's search", () => {
  it("finds people and videos as they are read", async () => {
    const root = await mintAdmin();
    const ann = await mintUser("ann");
    const own = tag();
    await call("/auth/me", { method: "PATCH", token: ann.token, body: { fullName: `Zoë ${own}`.normalize("NFD") } });
    const video = (
      await call("/videos", {
        method: "POST",
        token: ann.token,
        body: {
          title: `Ｆｉｌｍ ${own}`,
          description: "onclick = é".normalize("NFD"),
          videoUrl: "https://example.com/v.mp4",
        },
      })
    ).body;
    const search = async (list: "users" | "videos", text: string) =>
      (await call(`/admin/${list}?search=${encodeURIComponent(text)}`, { token: root.token })).body[list].map(
        ({ id }: { id: number }) => id,
      );
    expect(await search("users", `ZOË ${own}`)).toEqual([ann.id]);
    expect(await search("videos", `film ${own}`)).toEqual([video.id]);
    await call(`/videos/${video.id}`, { method: "PATCH", token: ann.token, body: { title: `Neu ${own}` } });
    expect(await search("videos", `film ${own}`)).toEqual([]);
    expect(await search("videos", "onclick = É")).toContain(video.id);
  });
});

describe("a folder and a file", () => {
  const upload = async (by: TestUser, folder: string) =>
    (
      await call("/files/upload", {
        method: "POST",
        token: by.token,
        body: form(["folder", folder], ["file", sample("png"), "a.png"]),
      })
    ).body.data;
  const move = (by: TestUser, file: { folder: string; name: string }, targetFolder: string, targetFile: string) =>
    call("/files/move", {
      method: "POST",
      token: by.token,
      body: { folder: file.folder, file: file.name, targetFolder, targetFile },
    });
  const path = (kind: string, ...segments: string[]) => `/files/${kind}/${segments.map(encodeURIComponent).join("/")}`;

  it("are the same however their letters are encoded", async () => {
    const ann = await mintUser("ann");
    const folder = `Café ${tag()}`;
    const first = await upload(ann, folder.normalize("NFD"));
    expect(first.folder).toBe(folder);
    const second = await upload(ann, folder.toUpperCase());
    const { body } = await call(path("list", folder.toLowerCase()), { token: ann.token });
    expect(body.data.files.map(({ id }: { id: string }) => id)).toEqual([second.id, first.id]);
    expect((await call(path("folder-size", folder), { token: ann.token })).body.data.fileCount).toBe(2);
    const { byFolder } = (await call("/files/statistics", { token: ann.token })).body.data;
    expect(byFolder).toEqual([{ folder: folder.toUpperCase(), fileCount: 2, size: 2 * first.size }]);

    expect((await move(ann, first, folder, "Résumé.png")).status).toBe(200);
    expect((await move(ann, second, folder.toLowerCase(), "RÉSUMÉ.png".normalize("NFD"))).status).toBe(409);
    expect((await call(path("info", folder.toUpperCase(), "résumé.PNG"), { token: ann.token })).body.data.id).toBe(
      first.id,
    );
    expect((await call(path("info", folder, "Resume.png"), { token: ann.token })).status).toBe(404);
  });
});

describe("rows that nobody has folded", () => {
  it("are found by their exact text, and by cron's fold after that", async () => {
    const root = await mintAdmin();
    const ann = await mintUser("ann");
    const own = tag();
    const old = (name: string, id: string) =>
      env.DB.prepare(
        `INSERT INTO files (id, owner_id, folder, name, original_name, category, mime_type, size, sha256, key, created_at)
         VALUES (?1, ?2, ?3, ?4, 'a.png', 'image', 'image/png', 1, 'x', ?1, 1)`,
      ).bind(id, ann.id, `Alt ${own}`, name);
    await env.DB.batch([
      env.DB.prepare(
        "UPDATE users SET display_name = ?1, full_name = 'Ⅷ', display_name_folded = NULL, is_folded = 0 WHERE id = ?2",
      ).bind(`Ça ${own}`, ann.id),
      env.DB.prepare("INSERT INTO videos (owner_id, title, video_url, created_at) VALUES (?1, ?2, 'x', 1)").bind(
        ann.id,
        `Ｔｉｔｅｌ ${own}`,
      ),
      old("Ä.png", `1-${own}`),
      old("ä.png", `2-${own}`),
    ]);
    const info = (name: string) =>
      call(`/files/info/${encodeURIComponent(`Alt ${own}`)}/${encodeURIComponent(name)}`, { token: ann.token });
    const ids = async () => [(await info("Ä.png")).body.data.id, (await info("ä.png")).body.data.id];
    expect(await ids()).toEqual([`1-${own}`, `2-${own}`]);

    await runCron(env, { waitUntil: () => {} });

    const people = await call(`/users?search=${encodeURIComponent(`ÇA ${own}`)}`, { token: root.token });
    expect(people.body.users.map(({ id }: { id: number }) => id)).toEqual([ann.id]);
    const videos = await call(`/admin/videos?search=${encodeURIComponent(`titel ${own}`)}`, { token: root.token });
    expect(videos.body.videos).toHaveLength(1);
    // Two that read alike keep their own paths, and new ones meet them.
    expect(await ids()).toEqual([`1-${own}`, `2-${own}`]);
    expect(
      (await call(`/files/list/${encodeURIComponent(`ALT ${own}`)}`, { token: ann.token })).body.data.files,
    ).toHaveLength(2);
    const left = await env.DB.prepare(
      "SELECT (SELECT count(*) FROM users WHERE is_folded = 0) + (SELECT count(*) FROM videos WHERE is_folded = 0) + (SELECT count(*) FROM files WHERE is_folded = 0) AS n",
    ).first("n");
    expect(left).toBe(0);
  });

  it("are looked for by an index that has only them", async () => {
    for (const table of ["users", "videos", "files"]) {
      const { results } = await env.DB.prepare(
        `EXPLAIN QUERY PLAN SELECT * FROM ${table} WHERE is_folded = 0 LIMIT 50`,
      ).all();
      expect(JSON.stringify(results)).toContain(`${table}_unfolded`);
    }
  });
});
