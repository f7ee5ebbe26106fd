/** The product's own people, over HTTP (SPEC 12). */
import { Done, done } from "../../../http/answers.ts";
import { route, router } from "../../../http/route.ts";
import { ExternalIdParam, PutUser, ServerUser } from "./contract.ts";
import { eraseOwnUser, putUser, readUser } from "./service.ts";

export const serverUserRoutes = router()
  .openapi(
    route("put", "/server/users/{externalId}", {
      who: "key:users",
      summary: "Make a user, or change what is named",
      description: "What is left out stays. A user of ours who came in by another door, or has power here, is 403.",
      params: ExternalIdParam,
      body: PutUser,
      answers: { 200: ServerUser, 201: ServerUser },
    }),
    async (c) => {
      const { user, isNew } = await putUser(c.var.ctx, c.req.valid("param").externalId, c.req.valid("json"));
      return isNew ? c.json(user, 201) : c.json(user, 200);
    },
  )
  .openapi(
    route("get", "/server/users/{externalId}", {
      who: "key:users",
      summary: "One user",
      params: ExternalIdParam,
      answers: { 200: ServerUser },
    }),
    async (c) => c.json(await readUser(c.var.ctx, c.req.valid("param").externalId), 200),
  )
  .openapi(
    route("delete", "/server/users/{externalId}", {
      who: "key:users",
      summary: "Erase a user and all that is theirs",
      description: "Their sockets close with 4003. Tokens of theirs stay 401 until they are made anew.",
      params: ExternalIdParam,
      answers: { 200: Done },
    }),
    async (c) => {
      await eraseOwnUser(c.var.ctx, c.req.valid("param").externalId);
      return c.json(done("User deleted"), 200);
    },
  );
