/** Who is asked before a message is accepted, over HTTP, for admins (SPEC 12). */
import { Done, done } from "../../../http/answers.ts";
import { route, router } from "../../../http/route.ts";
import { MessageHook, NewMessageHook, SetMessageHook } from "./contract.ts";
import { deleteMessageHook, readMessageHook, setMessageHook } from "./message-hook.ts";

const path = "/admin/hooks/before-message";

export const messageHookRoutes = router()
  .openapi(
    route("post", path, {
      who: "admin",
      summary: "Ask this address before a message is accepted; its secret is shown this once",
      body: SetMessageHook,
      answers: { 201: NewMessageHook },
    }),
    async (c) => c.json(await setMessageHook(c.var.ctx, c.req.valid("json")), 201),
  )
  .openapi(
    route("get", path, {
      who: "admin",
      summary: "Who is asked before a message is accepted",
      answers: { 200: MessageHook },
    }),
    async (c) => c.json(await readMessageHook(c.var.ctx), 200),
  )
  .openapi(route("delete", path, { who: "admin", summary: "Ask nobody any more", answers: { 200: Done } }), async (c) =>
    c.json(done(await deleteMessageHook(c.var.ctx)), 200),
  );
