/** Accounts and tokens over HTTP (SPEC 1). */
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
import {
  changePassword,
  deactivateSelf,
  login,
  logout,
  makeSocketTicket,
  readAccount,
  refreshToken,
  register,
  updateAccount,
} from "./service.ts";

export const authRoutes = router()
  .openapi(
    route("post", "/auth/register", {
      who: "anyone",
      summary: "Make an account",
      body: Register,
      answers: { 201: SignedIn },
    }),
    async (c) => c.json(await register(c.var.ctx, c.req.valid("json")), 201),
  )
  .openapi(
    route("post", "/auth/login", { who: "anyone", summary: "Sign in", body: Login, answers: { 200: SignedIn } }),
    async (c) => c.json(await login(c.var.ctx, c.req.valid("json")), 200),
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
    async (c) => c.json(await refreshToken(c.var.ctx), 200),
  )
  .openapi(
    route("post", "/auth/logout", { who: "user", summary: "End this token", answers: { 200: Done } }),
    async (c) => {
      await logout(c.var.ctx);
      return c.json(done("Logged out"), 200);
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
