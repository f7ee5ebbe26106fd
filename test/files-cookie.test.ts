/** The cookie by which the elements of a signed-in page read files (SPEC 14, "Attachments"). */
import { describe, expect, it } from "vitest";
import { mintAdmin, post } from "./support/admin.ts";
import { bearer, call, mintUser, ORIGIN, type TestUser, worker } from "./support/api.ts";
import { passTime } from "./support/clock.ts";
import { folderName, read, uploadNamed } from "./support/files.ts";

const NAME = "__Secure-roomcast-files";
const FOREIGN = "https://evil.example";

const cookieOf = (headers: Headers): string => headers.get("set-cookie")?.split(";")[0] ?? "";
const giveCookie = async (user: { token: string }) =>
  cookieOf((await call("/auth/file-cookie", { method: "POST", token: user.token })).headers);
const signIn = (user: TestUser, headers: Record<string, string> = {}) =>
  call("/auth/login", { method: "POST", body: { username: user.username, password: user.password }, headers });

/** A private file of a fresh user, and their cookie. */
async function mintReader() {
  const user = await mintUser("reader");
  const file = await uploadNamed(user, "avatar.png", { folder: folderName() });
  return { user, file, cookie: await giveCookie(user) };
}
const statusWith = async (url: string, cookie: string, headers: Record<string, string> = {}) =>
  (await read(url, { Cookie: cookie, ...headers })).status;

describe("the cookie for files", () => {
  it("is set by sign-ins of our own and of allowed pages, with all its marks, and by no other page's", async () => {
    const user = await mintUser("ann");
    for (const origin of [null, ORIGIN, "http://localhost:3000"]) {
      const answer = await signIn(user, origin === null ? {} : { Origin: origin });
      const set = answer.headers.get("set-cookie") ?? "";
      expect(set).toMatch(
        new RegExp(`^${NAME}=[\\w.-]+; Max-Age=\\d+; Path=/api/v1/files; HttpOnly; Secure; SameSite=Lax$`),
      );
      // It is no token: a secret of its own.
      expect(set).not.toContain(answer.body.token);
    }
    expect((await signIn(user, { Origin: FOREIGN })).headers.get("set-cookie")).toBeNull();
    const name = `u${crypto.randomUUID().slice(0, 8)}`;
    const body = { username: name, email: `${name}@example.com`, password: "correct horse" };
    expect((await call("/auth/register", { method: "POST", body })).headers.get("set-cookie")).toContain(NAME);
    expect((await call("/auth/refresh", { method: "POST", token: user.token })).headers.get("set-cookie")).toContain(
      NAME,
    );
  });

  it("lets credentialed requests of allowed pages through, and of those alone", async () => {
    const asked = (origin: string) =>
      worker.fetch(`${ORIGIN}/api/v1/auth/file-cookie`, {
        method: "OPTIONS",
        headers: { Origin: origin, "Access-Control-Request-Method": "POST" },
      });
    const allowed = (await asked("http://localhost:3000")).headers;
    expect(allowed.get("access-control-allow-origin")).toBe("http://localhost:3000");
    expect(allowed.get("access-control-allow-credentials")).toBe("true");
    expect((await asked(FOREIGN)).headers.get("access-control-allow-origin")).toBeNull();
  });

  it("needs a token to be given", async () => {
    expect((await call("/auth/file-cookie", { method: "POST" })).status).toBe(401);
    const { cookie } = await mintReader();
    expect((await call("/auth/file-cookie", { method: "POST", headers: { Cookie: cookie } })).status).toBe(401);
  });

  it("reads a private file, as a view and a download, whole and in parts, and no page of another site may embed it", async () => {
    const { file, cookie } = await mintReader();
    const view = await read(file.url, { Cookie: `theme=dark; ${cookie}; other=1` });
    expect(view.status).toBe(200);
    expect(view.headers.get("cross-origin-resource-policy")).toBe("same-site");
    expect(view.headers.get("cache-control")).toBe("private, no-cache");
    const download = file.url.replace("/view/", "/download/");
    expect(await statusWith(download, cookie)).toBe(200);
    expect(await statusWith(download, cookie, { Range: "bytes=0-0" })).toBe(206);
    expect((await worker.fetch(file.url, { method: "HEAD", headers: { Cookie: cookie } })).status).toBe(200);
    expect(await statusWith(file.url, "")).toBe(401);
  });

  it("leaves public files as open as they are", async () => {
    const { user, cookie } = await mintReader();
    const file = await uploadNamed(user, "open.png", { folder: folderName(), visibility: "public" });
    const { status, headers } = await read(file.url, { Cookie: cookie });
    expect([status, headers.get("cross-origin-resource-policy")]).toEqual([200, "cross-origin"]);
  });

  it("is good for nothing else", async () => {
    const { user, file, cookie } = await mintReader();
    const value = cookie.slice(NAME.length + 1);
    const { folder, name } = file;
    const headers = { Cookie: cookie };
    for (const path of [`/files/info/${folder}/${name}`, `/files/list/${folder}`, "/files/statistics", "/auth/me"]) {
      expect([path, (await call(path, { headers })).status]).toEqual([path, 401]);
    }
    const changes: [string, string, unknown][] = [
      ["DELETE", `/files/${folder}/${name}`, undefined],
      ["POST", "/files/signed-url", { folder, file: name }],
      ["POST", "/files/copy", { folder, file: name, targetFolder: folder, targetFile: "b.png" }],
    ];
    for (const [method, path, body] of changes) {
      expect([path, (await call(path, { method, body, headers })).status]).toEqual([path, 401]);
    }
    // As a token, by whatever way.
    expect((await call("/auth/me", { token: value })).status).toBe(401);
    expect((await call(`/auth/me?token=${value}`)).status).toBe(401);
    expect((await read(file.url, bearer({ token: value }))).status).toBe(401);
    // And a token is no cookie.
    expect(await statusWith(file.url, `${NAME}=${user.token}`)).toBe(401);
  });

  it("opens what its user may read, and nothing else", async () => {
    const [mine, theirs] = [await mintReader(), await mintReader()];
    expect(await statusWith(theirs.file.url, mine.cookie)).toBe(404);
    const forged = mine.cookie.replace(/\.[^.]+$/, (signature) => `.${[...signature.slice(1)].reverse().join("")}`);
    expect(await statusWith(mine.file.url, forged)).toBe(401);
  });

  it("is nothing for a page of another origin, or that another site embeds", async () => {
    const { file, cookie } = await mintReader();
    expect(await statusWith(file.url, cookie, { Origin: FOREIGN })).toBe(401);
    expect(await statusWith(file.url, cookie, { Origin: "null" })).toBe(401);
    const embedded = { "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors" };
    expect(await statusWith(file.url, cookie, embedded)).toBe(401);
    // A link on another site that somebody follows, and a page of ours.
    expect(await statusWith(file.url, cookie, { ...embedded, "Sec-Fetch-Mode": "navigate" })).toBe(200);
    expect(await statusWith(file.url, cookie, { Origin: "http://localhost:3000" })).toBe(200);
  });

  it("ends with its session: by a logout, which also takes it back", async () => {
    const { user, file, cookie } = await mintReader();
    const { headers } = await call("/auth/logout", { method: "POST", token: user.token });
    expect(headers.get("set-cookie")).toMatch(new RegExp(`^${NAME}=; Max-Age=0; Path=/api/v1/files;`));
    expect(await statusWith(file.url, cookie)).toBe(401);
  });

  it("ends with a ban, and with its account", async () => {
    const admin = await mintAdmin();
    const banned = await mintReader();
    await post(admin, `/users/${banned.user.id}/ban`, { reason: "spam" });
    expect(await statusWith(banned.file.url, banned.cookie)).toBe(401);
    const closed = await mintReader();
    await call("/auth/me", { method: "DELETE", token: closed.user.token });
    expect(await statusWith(closed.file.url, closed.cookie)).toBe(401);
  });

  it("ends when its token would", async () => {
    const { file, cookie } = await mintReader();
    passTime(10_081 * 60);
    expect(await statusWith(file.url, cookie)).toBe(401);
  });
});
