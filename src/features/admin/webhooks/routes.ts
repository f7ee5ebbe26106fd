/** Endpoints over HTTP, for admins (SPEC 12). */
import { Done, done } from "../../../http/answers.ts";
import { route, router } from "../../../http/route.ts";
import { CreateWebhook, NewWebhook, UpdateWebhook, Webhook, WebhookList, WebhookParam } from "./contract.ts";
import { createWebhook, deleteWebhook, listWebhooks, readWebhook, updateWebhook } from "./service.ts";

export const adminWebhookRoutes = router()
  .openapi(
    route("post", "/admin/webhooks", {
      who: "admin",
      summary: "An endpoint that hears of events; its secret is shown this once",
      body: CreateWebhook,
      answers: { 201: NewWebhook },
    }),
    async (c) => c.json(await createWebhook(c.var.ctx, c.req.valid("json")), 201),
  )
  .openapi(
    route("get", "/admin/webhooks", { who: "admin", summary: "The endpoints", answers: { 200: WebhookList } }),
    async (c) => c.json(await listWebhooks(c.var.ctx), 200),
  )
  .openapi(
    route("get", "/admin/webhooks/{id}", {
      who: "admin",
      summary: "One endpoint",
      params: WebhookParam,
      answers: { 200: Webhook },
    }),
    async (c) => c.json(await readWebhook(c.var.ctx, c.req.valid("param").id), 200),
  )
  .openapi(
    route("patch", "/admin/webhooks/{id}", {
      who: "admin",
      summary: "Change an endpoint, switch it off or on; counts within 60 s",
      params: WebhookParam,
      body: UpdateWebhook,
      answers: { 200: Webhook },
    }),
    async (c) => c.json(await updateWebhook(c.var.ctx, c.req.valid("param").id, c.req.valid("json")), 200),
  )
  .openapi(
    route("delete", "/admin/webhooks/{id}", {
      who: "admin",
      summary: "Delete an endpoint, with what waits for it",
      params: WebhookParam,
      answers: { 200: Done },
    }),
    async (c) => c.json(done(await deleteWebhook(c.var.ctx, c.req.valid("param").id)), 200),
  );
