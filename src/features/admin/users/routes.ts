/** People, over HTTP, for admins (SPEC 4). */
import { Done, done, UserParam } from "../../../http/answers.ts";
import { route, router } from "../../../http/route.ts";
import { WithReason } from "../base-contract.ts";
import { banUser, deactivateUser, eraseUser, restoreUser, setRole, unbanUser, verifyUser } from "./actions.ts";
import { SetRole, UserDetails, UserList, UserListQuery } from "./contract.ts";
import { listUsers, readUser } from "./service.ts";

const answers = { 200: Done };

export const adminUserRoutes = router()
  .openapi(
    route("get", "/admin/users", { who: "admin", summary: "Users", query: UserListQuery, answers: { 200: UserList } }),
    async (c) => c.json(await listUsers(c.var.ctx, c.req.valid("query")), 200),
  )
  .openapi(
    route("get", "/admin/users/{id}", {
      who: "admin",
      summary: "One user, with figures and what is newest",
      params: UserParam,
      answers: { 200: UserDetails },
    }),
    async (c) => c.json(await readUser(c.var.ctx, c.req.valid("param").id), 200),
  )
  .openapi(
    route("post", "/admin/users/{id}/ban", {
      who: "admin",
      summary: "Ban; connections close with 4003",
      params: UserParam,
      body: WithReason,
      bodyInQuery: ["reason"],
      answers,
    }),
    async (c) => c.json(done(await banUser(c.var.ctx, c.req.valid("param").id, c.req.valid("json").reason)), 200),
  )
  .openapi(
    route("post", "/admin/users/{id}/unban", { who: "admin", summary: "Lift a ban", params: UserParam, answers }),
    async (c) => c.json(done(await unbanUser(c.var.ctx, c.req.valid("param").id)), 200),
  )
  .openapi(
    route("post", "/admin/users/{id}/verify", {
      who: "admin",
      summary: "Mark as verified",
      params: UserParam,
      answers,
    }),
    async (c) => c.json(done(await verifyUser(c.var.ctx, c.req.valid("param").id)), 200),
  )
  .openapi(
    route("post", "/admin/users/{id}/deactivate", {
      who: "admin",
      summary: "Shut the account until it is restored",
      params: UserParam,
      answers,
    }),
    async (c) => c.json(done(await deactivateUser(c.var.ctx, c.req.valid("param").id)), 200),
  )
  .openapi(
    route("post", "/admin/users/{id}/restore", {
      who: "admin",
      summary: "Open a deactivated or closed account again",
      params: UserParam,
      answers,
    }),
    async (c) => c.json(done(await restoreUser(c.var.ctx, c.req.valid("param").id)), 200),
  )
  .openapi(
    route("put", "/admin/users/{id}/role", {
      who: "admin",
      summary: "Change the role",
      params: UserParam,
      body: SetRole,
      bodyInQuery: ["role"],
      answers,
    }),
    async (c) => c.json(done(await setRole(c.var.ctx, c.req.valid("param").id, c.req.valid("json").role)), 200),
  )
  .openapi(
    route("delete", "/admin/users/{id}", {
      who: "admin",
      summary: "Erase the user and all that is theirs",
      params: UserParam,
      body: WithReason,
      bodyInQuery: ["reason"],
      answers,
    }),
    async (c) => c.json(done(await eraseUser(c.var.ctx, c.req.valid("param").id, c.req.valid("json").reason)), 200),
  );
