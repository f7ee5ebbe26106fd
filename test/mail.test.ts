/** Mail: verifying an address, a forgotten password, another address (SPEC 13), and the outbox that it waits in. */
import { createExecutionContext, waitOnExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it, vi } from "vitest";
import { app } from "../src/app.ts";
import { config } from "../src/config.ts";
import { runCron } from "../src/cron.ts";
import { call, costOf, ORIGIN, registerUser, type TestUser } from "./support/api.ts";
import { passTime } from "./support/clock.ts";
import { PRODUCTION } from "./support/production.ts";
import { callWith, environmentWith } from "./support/settings.ts";
import { signShared } from "./support/shared.ts";
import { openHub } from "./support/socket.ts";

type Mail = { to: string; subject: string; text: string; html: string };

let addresses = 0;
/** A client of its own, so that limits per address do not mix tests up. */
const elsewhere = () => ({ "CF-Connecting-IP": `10.77.${Math.floor(addresses / 250)}.${++addresses % 250}` });
const post = (path: string, body: unknown, headers: Record<string, string> = elsewhere()) =>
  call(path, { method: "POST", body, headers });

/** The mail that came to an address, the newest first. */
const mailTo = async (address: string): Promise<Mail[]> =>
  (await call("//dev/mail")).body.mails.filter(({ to }: Mail) => to === address);
const tokenIn = (mail: Mail | undefined): string => /#token=([\w-]+)/.exec(mail?.text ?? "")?.[1] ?? "none";

/** As `post`, at a deployment with other settings. */
const postWith = (settings: object, path: string, body: unknown, headers: Record<string, string> = {}) =>
  callWith(settings, path, { method: "POST", body, headers: { ...elsewhere(), ...headers } });

const me = async (user: TestUser) => (await call("/auth/me", { token: user.token })).body;
const forgot = (email: string, headers?: Record<string, string>) => post("/auth/password/forgot", { email }, headers);
const reset = (token: string, password = "battery staple") => post("/auth/password/reset", { token, password });
const signIn = (user: TestUser, password: string) => post("/auth/login", { username: user.username, password });

describe("verifying an email", () => {
  it("works once of twenty tries at once, and its token stands nowhere in the database", async () => {
    const user = await registerUser();
    expect((await me(user)).emailVerified).toBe(false);
    const mails = await mailTo(user.email);
    expect(mails.map(({ subject }) => subject)).toEqual(["Verify your email"]);
    const token = tokenIn(mails[0]);
    for (const table of ["account_tokens", "mail_outbox"]) {
      const { results } = await env.DB.prepare(`SELECT * FROM ${table} WHERE user_id = ?`).bind(user.id).all();
      expect(results).toHaveLength(1);
      expect(JSON.stringify(results)).not.toContain(token);
    }
    expect((await reset(token)).status).toBe(400);
    const tries = await Promise.all(Array.from({ length: 20 }, () => post("/auth/verify-email", { token })));
    expect(tries.map(({ status }) => status).sort()).toEqual([200, ...Array(19).fill(400)]);
    expect((await me(user)).emailVerified).toBe(true);
  });

  it("is too late after a day, and a new link comes for who asks, signed in or not", async () => {
    const user = await registerUser();
    const [old] = await mailTo(user.email);
    passTime(86_401);
    const late = await post("/auth/verify-email", { token: tokenIn(old) });
    expect([late.status, late.body.error.details[0].path]).toEqual([400, "token"]);
    expect((await call("/auth/verify-email/resend", { method: "POST", token: user.token })).status).toBe(200);
    expect((await post("/auth/verify-email/resend", { email: user.email.toUpperCase() })).status).toBe(200);
    expect((await post("/auth/verify-email/resend", {})).status).toBe(400);
    const [newest, ...rest] = await mailTo(user.email);
    expect(rest).toHaveLength(2);
    expect((await post("/auth/verify-email", { token: tokenIn(newest) })).status).toBe(200);
    const again = await post("/auth/verify-email/resend", { email: user.email });
    const unknown = await post("/auth/verify-email/resend", { email: "nobody@example.org" });
    expect(again.body).toEqual(unknown.body);
    expect(await mailTo(user.email)).toHaveLength(3);
    expect(await mailTo("nobody@example.org")).toEqual([]);
  });
});

describe("a forgotten password", () => {
  it("is answered alike for everybody, before any work of it is done", async () => {
    const user = await registerUser();
    let release = () => {};
    const gate = new Promise<void>((resolve) => {
      release = resolve;
    });
    /** Of one call: what comes after its limits waits. */
    const gatedDatabase = () => {
      let batches = 0;
      return {
        prepare: (query: string) => env.DB.prepare(query),
        batch: async (statements: D1PreparedStatement[]) => {
          batches += 1;
          if (batches > 1) await gate;
          return env.DB.batch(statements);
        },
      };
    };
    const answers = await Promise.all(
      [user.email, "nobody@example.org"].map(async (email) => {
        const context = createExecutionContext();
        const request = new Request(`${ORIGIN}/api/v1/auth/password/forgot`, {
          method: "POST",
          headers: { ...elsewhere(), "Content-Type": "application/json" },
          body: JSON.stringify({ email }),
        });
        const response = await app.fetch(request, { ...env, DB: gatedDatabase(), DEBUG_COST: "" }, context);
        return { status: response.status, text: await response.text(), context };
      }),
    );
    // Nothing but the limits has run: the answers are here all the same.
    expect(answers.map(({ status }) => status)).toEqual([200, 200]);
    expect(answers[0]?.text).toBe(answers[1]?.text);
    expect(await mailTo(user.email)).toHaveLength(1);
    release();
    for (const { context } of answers) await waitOnExecutionContext(context);
    expect((await mailTo(user.email)).map(({ subject }) => subject)).toEqual([
      "Set a new password",
      "Verify your email",
    ]);
    expect(await mailTo("nobody@example.org")).toEqual([]);
  });

  it("is limited per account, known or not, and per address", async () => {
    const user = await registerUser();
    for (const email of [user.email, `unknown.${user.email}`]) {
      const tries = [];
      for (let n = 0; n < 6; n += 1) tries.push(await forgot(email));
      expect(tries.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200, 429]);
      expect(Number(tries[5]?.headers.get("Retry-After"))).toBeGreaterThan(1700);
    }
    const here = elsewhere();
    const tries = [];
    for (let n = 0; n < 21; n += 1) tries.push((await forgot(`n${n}.${user.email}`, here)).status);
    expect(tries).toEqual([...Array(20).fill(200), 429]);
  });

  it("is set anew once of twenty tries at once; every session ends, and sockets close with 4001", async () => {
    const [user, other] = [await registerUser(), await registerUser()];
    const second: string = (await signIn(user, user.password)).body.token;
    const sockets = [await openHub(user), await openHub({ token: second })];
    const theirs = await openHub(other);
    await forgot(user.email);
    await forgot(user.email);
    const [mail, earlier] = await mailTo(user.email);
    const token = tokenIn(mail);
    expect((await reset(token, "short")).status).toBe(400);
    expect((await post("/auth/verify-email", { token })).status).toBe(400);
    const tries = await Promise.all(Array.from({ length: 20 }, (_, n) => reset(token, `battery staple ${n}`)));
    const [won] = tries.flatMap(({ status }, n) => (status === 200 ? [n] : []));
    expect(tries.map(({ status }) => status).sort()).toEqual([200, ...Array(19).fill(400)]);
    for (const socket of sockets) expect((await socket.nextClose()).code).toBe(4001);
    for (const dead of [user.token, second]) expect((await call("/auth/me", { token: dead })).status).toBe(401);
    expect((await signIn(user, user.password)).status).toBe(401);
    const { status, body } = await signIn(user, `battery staple ${won}`);
    expect([status, body.user.emailVerified]).toEqual([200, true]);
    // A link that was asked for before is of no use any more, and nobody else was touched.
    expect((await reset(tokenIn(earlier))).status).toBe(400);
    await theirs.expectNothing("error");
    expect((await call("/auth/me", { token: other.token })).status).toBe(200);
  });

  it("is not set anew after half an hour, by a link to an earlier address, nor after a changed password", async () => {
    const user = await registerUser();
    const link = async () => {
      await forgot(user.email);
      return tokenIn((await mailTo(user.email))[0]);
    };
    const [first, second] = [await link(), await link()];
    await env.DB.prepare("UPDATE users SET email = ? WHERE id = ?").bind(`new.${user.email}`, user.id).run();
    expect((await reset(first)).status).toBe(400);
    await env.DB.prepare("UPDATE users SET email = ? WHERE id = ?").bind(user.email, user.id).run();
    const body = { current: user.password, next: "other words" };
    expect((await call("/auth/password", { method: "POST", token: user.token, body })).status).toBe(200);
    expect((await reset(second)).status).toBe(400);
    const last = await link();
    passTime(1801);
    expect((await reset(last)).status).toBe(400);
    expect((await signIn(user, "other words")).status).toBe(200);
  });

  it("gives no password to whom the product's backend signs in", async () => {
    const email = `theirs.${Date.now()}@example.com`;
    const token = await signShared({ sub: `theirs-${Date.now()}`, email, email_verified: true });
    expect((await call("/auth/me", { token })).body).toMatchObject({ email, emailVerified: true });
    await forgot(email);
    expect(await mailTo(email)).toEqual([]);
  });
});

describe("another email", () => {
  const change = (user: TestUser, email: string) =>
    call("/auth/me", { method: "PATCH", token: user.token, body: { email, bio: "moving" } });

  it("counts once it is verified, and the old address is told of both", async () => {
    const user = await registerUser();
    const next = `Next.${user.email}`;
    const asked = await change(user, next);
    expect([asked.status, asked.body.email, asked.body.bio]).toEqual([200, user.email, "moving"]);
    expect((await mailTo(user.email))[0]?.subject).toBe("Your email address is about to change");
    expect((await signIn({ ...user, username: next }, user.password)).status).toBe(401);
    expect((await post("/auth/verify-email", { token: tokenIn((await mailTo(next))[0]) })).status).toBe(200);
    expect(await me(user)).toMatchObject({ email: next, emailVerified: true });
    expect((await mailTo(user.email))[0]?.subject).toBe("Your email address has changed");
    expect((await signIn({ ...user, username: next }, user.password)).status).toBe(200);
    // What went to the address before verifies nothing any more.
    const [, , first] = await mailTo(user.email);
    expect((await post("/auth/verify-email", { token: tokenIn(first) })).status).toBe(409);
  });

  it("that is somebody else's is answered alike, and its owner is told instead", async () => {
    const [user, owner] = [await registerUser(), await registerUser()];
    const [taken, free] = [await change(user, owner.email), await change(user, `free.${user.email}`)];
    expect(taken.body).toEqual(free.body);
    expect((await mailTo(owner.email)).map(({ subject }) => subject)).toEqual([
      "You already have an account",
      "Verify your email",
    ]);
    expect(await me(user)).toMatchObject({ email: user.email });
  });

  it("is not the account's if its password was changed meanwhile, or another account got it first", async () => {
    const [user, rival] = [await registerUser(), await registerUser()];
    const next = `next.${user.email}`;
    await change(user, next);
    const [mail] = await mailTo(next);
    const body = { current: user.password, next: "other words" };
    await call("/auth/password", { method: "POST", token: user.token, body });
    expect((await post("/auth/verify-email", { token: tokenIn(mail) })).status).toBe(409);
    await change(user, next);
    await change(rival, next);
    const [theirs, mine] = await mailTo(next);
    expect((await post("/auth/verify-email", { token: tokenIn(theirs) })).status).toBe(200);
    expect((await post("/auth/verify-email", { token: tokenIn(mine) })).status).toBe(409);
    expect([(await me(rival)).email, (await me(user)).email]).toEqual([next, user.email]);
  });
});

describe("REQUIRE_VERIFIED_EMAIL", () => {
  const REQUIRED = { REQUIRE_VERIFIED_EMAIL: "1" };

  it("answers a registration alike for a taken email, and lets in who has verified theirs", async () => {
    const owner = await registerUser();
    const username = `careful_${owner.id}`;
    const password = "correct horse";
    const email = `${username}@example.com`;
    const register = (body: object) => postWith(REQUIRED, "/auth/register", { password, ...body });
    const made = await register({ username, email });
    const taken = await register({ username: `other_${owner.id}`, email: owner.email.toUpperCase() });
    expect([made.status, taken.status]).toEqual([202, 202]);
    expect(made.body).toEqual(taken.body);
    expect(Object.keys(made.body)).toEqual(["success", "message"]);
    expect((await mailTo(owner.email))[0]?.subject).toBe("You already have an account");
    expect((await register({ username: owner.username, email: `x.${email}` })).status).toBe(409);
    const login = (given: string) => postWith(REQUIRED, "/auth/login", { username, password: given });
    expect((await login("wrong words")).status).toBe(401);
    const refused = await login(password);
    expect([refused.status, refused.body.error.message]).toEqual([403, expect.stringContaining("Verify your email")]);
    const [mail] = await mailTo(email);
    await postWith(REQUIRED, "/auth/verify-email", { token: tokenIn(mail) });
    expect((await login(password)).status).toBe(200);
  });

  it("asks nothing of people whom the product's backend made", async () => {
    const token = await signShared({ sub: `exempt-${Date.now()}` });
    expect((await callWith(REQUIRED, "/auth/me", { token })).body).toMatchObject({ emailVerified: false });
  });
});

describe("the outbox of mail", () => {
  const RESEND = {
    MAIL_TRANSPORT: "resend",
    RESEND_API_KEY: "key",
    MAIL_FROM: "Roomcast <no-reply@example.com>",
    PUBLIC_URL: "https://chat.example.com",
  };
  afterEach(() => void vi.restoreAllMocks());

  /** What the provider is sent; it answers with these statuses, and then 200. */
  function provider(...statuses: number[]) {
    const sent: { key: string | null; body: Mail & { from: string } }[] = [];
    vi.spyOn(globalThis, "fetch").mockImplementation(async (input, init) => {
      const request = new Request(input, init);
      expect(request.url).toBe("https://api.resend.com/emails");
      sent.push({ key: request.headers.get("idempotency-key"), body: await request.json() });
      return new Response("{}", { status: statuses.shift() ?? 200 });
    });
    return sent;
  }

  const sweep = async () => {
    const context = createExecutionContext();
    await runCron(environmentWith(RESEND), context);
    await waitOnExecutionContext(context);
  };
  const waiting = (user: TestUser) =>
    env.DB.prepare("SELECT attempts, parked_at, reason FROM mail_outbox WHERE user_id = ? AND sent_at IS NULL")
      .bind(user.id)
      .all();

  it("tries again after a growing wait, with the same link, and keeps nothing of what was sent", async () => {
    const user = await registerUser();
    const sent = provider(500, 429);
    const headers = { "Accept-Language": "vi-VN,vi;q=0.9,en;q=0.8", Host: "evil.example" };
    expect((await postWith(RESEND, "/auth/password/forgot", { email: user.email }, headers)).status).toBe(200);
    expect(sent).toHaveLength(1);
    await sweep();
    expect(sent).toHaveLength(1);
    passTime(61);
    await sweep();
    expect(sent).toHaveLength(2);
    passTime(90);
    await sweep();
    expect(sent).toHaveLength(2);
    passTime(121);
    await sweep();
    expect(sent).toHaveLength(3);
    expect((await waiting(user)).results).toEqual([]);
    const [first, , last] = sent;
    expect(last).toEqual(first);
    expect(last?.body).toMatchObject({ from: RESEND.MAIL_FROM, to: [user.email], subject: "Đặt mật khẩu mới" });
    expect(last?.body.text).toContain("https://chat.example.com/account/reset#token=");
    expect(last?.body.html).toContain('lang="vi"');
  });

  it("parks what fails eight times, and what would come too late", async () => {
    const [stubborn, late] = [await registerUser(), await registerUser()];
    const sent = provider(...Array(30).fill(500));
    await callWith(RESEND, "/auth/me", {
      method: "PATCH",
      token: stubborn.token,
      body: { email: `next.${stubborn.email}` },
    });
    await postWith(RESEND, "/auth/password/forgot", { email: late.email });
    for (let n = 0; n < 10; n += 1) {
      await env.DB.prepare("UPDATE mail_outbox SET attempt_at = 0 WHERE sent_at IS NULL").run();
      if (n === 2) passTime(1801);
      await sweep();
    }
    // Two mails of the one, at eight tries each, and three tries of the other before its link was dead.
    expect(sent).toHaveLength(2 * 8 + 3);
    expect((await waiting(stubborn)).results).toEqual(
      Array(2).fill({ attempts: 8, parked_at: expect.any(Number), reason: "api.resend.com answered 500." }),
    );
    expect((await waiting(late)).results).toMatchObject([
      { parked_at: expect.any(Number), reason: "Its link is dead." },
    ]);
  });

  it("is erased with the account", async () => {
    const user = await registerUser();
    await env.DB.prepare("DELETE FROM users WHERE id = ?").bind(user.id).run();
    expect(await mailTo(user.email)).toEqual([]);
    const { results } = await env.DB.prepare("SELECT 1 FROM account_tokens WHERE user_id = ?").bind(user.id).all();
    expect(results).toEqual([]);
  });
});

describe("/dev/mail", () => {
  it("shows a page to browsers, on this machine and in development alone", async () => {
    const user = await registerUser();
    const headers = { Accept: "text/html", "CF-Connecting-IP": "::1" };
    const page = await callWith({}, "http://127.0.0.1:8787/dev/mail", { headers });
    expect(page.headers.get("content-type")).toContain("text/html");
    expect(page.body).toContain(user.email);
    expect(page.body).toContain(`href="http://localhost:8787/account/verify#token=`);
    expect(page.body).not.toMatch(/<script>|onclick/);
    expect((await callWith({}, "http://evil.example/dev/mail")).status).toBe(404);
    const stranger = await callWith({}, "http://localhost:8787/dev/mail", {
      headers: { "CF-Connecting-IP": "192.0.2.1" },
    });
    expect(stranger.status).toBe(404);
    expect((await callWith(PRODUCTION, "http://localhost:8787/dev/mail", { headers })).status).toBe(404);
  });

  it("is what production refuses, as it does a transport without what it needs", () => {
    expect(() => config({ ...env, ...PRODUCTION, MAIL_TRANSPORT: "local" })).toThrow("must not be local");
    expect(() => config({ ...env, MAIL_TRANSPORT: "resend", MAIL_FROM: "a@example.com" })).toThrow(
      "Missing for MAIL_TRANSPORT=resend: PUBLIC_URL, RESEND_API_KEY",
    );
    expect(() => config({ ...env, MAIL_TRANSPORT: "pigeon" })).toThrow("MAIL_TRANSPORT");
    expect(() => config({ ...env, ...PRODUCTION, REQUIRE_VERIFIED_EMAIL: "1" })).toThrow("needs MAIL_TRANSPORT");
    expect(config({ ...env, ...PRODUCTION }).MAIL_TRANSPORT).toBe("none");
  });
});

describe("where no mail is set up", () => {
  const NONE = { MAIL_TRANSPORT: "none" };

  it("calls that need it are 403, and nothing is queued", async () => {
    const user = await registerUser();
    const before = await env.DB.prepare("SELECT count(*) AS n FROM mail_outbox").first("n");
    const statuses = [
      await postWith(NONE, "/auth/password/forgot", { email: user.email }),
      await postWith(NONE, "/auth/verify-email/resend", { email: user.email }),
      await callWith(NONE, "/auth/me", { method: "PATCH", token: user.token, body: { email: `x.${user.email}` } }),
    ].map(({ status }) => status);
    expect(statuses).toEqual([403, 403, 403]);
    expect(await env.DB.prepare("SELECT count(*) AS n FROM mail_outbox").first("n")).toBe(before);
  });

  it("registering, signing in and a message cost what they did before there was mail", async () => {
    const [user, friend] = [await registerUser(), await registerUser()];
    const password = "correct horse";
    const name = `thrifty_${user.id}`;
    const costs = [
      await postWith(NONE, "/auth/register", { username: name, email: `${name}@example.com`, password }),
      await postWith(NONE, "/auth/login", { username: user.username, password }),
      await callWith(NONE, "/messages", {
        method: "POST",
        token: user.token,
        body: { receiverId: friend.id, content: "hello" },
      }),
    ].map((answer) => costOf(answer));
    expect(costs.map(({ d1_queries }) => d1_queries)).toEqual([3, 3, 3]);
    expect(costs[1]?.object_calls).toBe(0);
  });
});
