/** Keys of a product's own backend, over HTTP, for admins (SPEC 12). */
import { Done, done } from "../../../http/answers.ts";
import { route, router } from "../../../http/route.ts";
import { CreateKey, KeyList, KeyListQuery, KeyParam, NewKey } from "./contract.ts";
import { createKey, deleteKey, listKeys } from "./service.ts";

export const adminKeyRoutes = router()
  .openapi(
    route("post", "/admin/keys", {
      who: "admin",
      summary: "Make a key for the product's own backend",
      description: "The answer is the only place where the whole key ever stands.",
      body: CreateKey,
      answers: { 201: NewKey },
    }),
    async (c) => c.json(await createKey(c.var.ctx, c.req.valid("json")), 201),
  )
  .openapi(
    route("get", "/admin/keys", {
      who: "admin",
      summary: "The keys there are",
      query: KeyListQuery,
      answers: { 200: KeyList },
    }),
    async (c) => c.json(await listKeys(c.var.ctx, c.req.valid("query")), 200),
  )
  .openapi(
    route("delete", "/admin/keys/{id}", {
      who: "admin",
      summary: "Delete a key; it is dead from the next request on",
      params: KeyParam,
      answers: { 200: Done },
    }),
    async (c) => {
      await deleteKey(c.var.ctx, c.req.valid("param").id);
      return c.json(done("Key deleted"), 200);
    },
  );
