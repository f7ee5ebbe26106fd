/** Accounts and tokens over HTTP (SPEC 1). */
import type { Context } from "hono";
import { fileCookie, noFileCookie } from "../../auth/file-cookie.ts";
import { verifyToken } from "../../auth/tokens.ts";
import { isAllowedOrigin } from "../../config.ts";
import type { Ctx } from "../../context.ts";
import { Done, done } from "../../http/answers.ts";
import { route, router } from "../../http/route.ts";
import {
  Account,
  ChangePassword,
  FreshToken,
  Login,
  Register,
  SignedIn,
  SocketTicket,
  UpdateAccount,
} from "./contract.ts";
import { changePassword, deactivateSelf, readAccount, updateAccount } from "./own-account.ts";
import { login, logout, makeSocketTicket, refreshToken, register } from "./service.ts";

/**
 * With a token goes the cookie that reads files (SPEC 14). A browser takes it from an answer to its own origin, or to a
 * credentialed request; a page of an origin that is not allowed gets none.
 */
export async function giveFileCookie<T extends { token: string }>(
  c: Pick<Context, "req" | "header"> & { var: { ctx: Ctx } },
  given: T,
): Promise<T> {
  const { ctx } = c.var;
  const origin = c.req.header("origin");
  if (origin !== undefined && !isAllowedOrigin(ctx.config, origin, ctx.origin)) return given;
  c.header("Set-Cookie", await fileCookie(ctx, await verifyToken(ctx.config, given.token, ctx.now)));
  return given;
}

export const authRoutes = router()
  .openapi(
    route("post", "/auth/register", {
      who: "anyone",
      summary: "Make an account",
      description:
        "202, without a token, where the email must be verified first (REQUIRE_VERIFIED_EMAIL); alike for a taken email, whose owner is told.",
      body: Register,
      answers: { 201: SignedIn, 202: Done },
    }),
    async (c) => {
      const made = await register(c.var.ctx, c.req.valid("json"));
      if (made === null) return c.json(done("Follow the link that was mailed to you, then sign in"), 202);
      return c.json(await giveFileCookie(c, made), 201);
    },
  )
  .openapi(
    route("post", "/auth/login", { who: "anyone", summary: "Sign in", body: Login, answers: { 200: SignedIn } }),
    async (c) => c.json(await giveFileCookie(c, await login(c.var.ctx, c.req.valid("json"))), 200),
  )
  .openapi(route("get", "/auth/me", { who: "user", summary: "My account", answers: { 200: Account } }), async (c) =>
    c.json(await readAccount(c.var.ctx), 200),
  )
  .openapi(
    route("patch", "/auth/me", {
      who: "user",
      summary: "Change my account",
      body: UpdateAccount,
      answers: { 200: Account },
    }),
    async (c) => c.json(await updateAccount(c.var.ctx, c.req.valid("json")), 200),
  )
  .openapi(
    route("delete", "/auth/me", { who: "user", summary: "Close my account", answers: { 200: Done } }),
    async (c) => {
      await deactivateSelf(c.var.ctx);
      return c.json(done("Account deleted"), 200);
    },
  )
  .openapi(
    route("post", "/auth/password", {
      who: "user",
      summary: "Change my password",
      body: ChangePassword,
      answers: { 200: Done },
    }),
    async (c) => {
      await changePassword(c.var.ctx, c.req.valid("json"));
      return c.json(done("Password changed"), 200);
    },
  )
  .openapi(
    route("post", "/auth/refresh", { who: "user", summary: "A new token", answers: { 200: FreshToken } }),
    async (c) => c.json(await giveFileCookie(c, await refreshToken(c.var.ctx)), 200),
  )
  .openapi(
    route("post", "/auth/logout", { who: "user", summary: "End this token", answers: { 200: Done } }),
    async (c) => {
      await logout(c.var.ctx);
      c.header("Set-Cookie", noFileCookie);
      return c.json(done("Logged out"), 200);
    },
  )
  .openapi(
    route("post", "/auth/file-cookie", {
      who: "user",
      summary: "A cookie that reads files",
      description:
        "For `<img>`, `<a download>` and `<iframe>` of a page that is signed in. Call it with `credentials: 'include'`; " +
        "sign-ins set it as well. It is `HttpOnly`, good for `/files/view` and `/files/download` alone, and ends with its session.",
      answers: { 200: Done },
    }),
    async (c) => {
      const { ctx } = c.var;
      const { id: userId, sessionId, expiresAt } = ctx.actor;
      c.header("Set-Cookie", await fileCookie(ctx, { userId, sessionId, expiresAt }));
      return c.json(done("The cookie is set"), 200);
    },
  )
  .openapi(
    route("post", "/auth/ws-ticket", {
      who: "user",
      summary: "A ticket for one socket",
      answers: { 200: SocketTicket },
    }),
    async (c) => c.json(await makeSocketTicket(c.var.ctx), 200),
  );
