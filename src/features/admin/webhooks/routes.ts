/** Endpoints over HTTP, for admins (SPEC 12). */
import { Done, done } from "../../../http/answers.ts";
import { route, router } from "../../../http/route.ts";
import { Delivery } from "../../webhooks/service.ts";
import {
  CreateWebhook,
  DeliveryList,
  DeliveryParam,
  DeliveryQuery,
  NewWebhook,
  UpdateWebhook,
  Webhook,
  WebhookList,
  WebhookListQuery,
  WebhookParam,
} from "./contract.ts";
import {
  createWebhook,
  deleteWebhook,
  listWebhooks,
  readDeliveries,
  readWebhook,
  sendAgain,
  testWebhook,
  updateWebhook,
} from "./service.ts";

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
    route("get", "/admin/webhooks", {
      who: "admin",
      summary: "The endpoints",
      query: WebhookListQuery,
      answers: { 200: WebhookList },
    }),
    async (c) => c.json(await listWebhooks(c.var.ctx, c.req.valid("query")), 200),
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
  )
  .openapi(
    route("post", "/admin/webhooks/{id}/test", {
      who: "admin",
      summary: "Send an event of the type webhook.test, and see what the endpoint answers",
      params: WebhookParam,
      answers: { 200: Delivery },
    }),
    async (c) => c.json(await testWebhook(c.var.ctx, c.req.valid("param").id), 200),
  )
  .openapi(
    route("get", "/admin/webhooks/{id}/deliveries", {
      who: "admin",
      summary: "What the endpoint was sent in the last days, newest first",
      params: WebhookParam,
      query: DeliveryQuery,
      answers: { 200: DeliveryList },
    }),
    async (c) => c.json(await readDeliveries(c.var.ctx, c.req.valid("param").id, c.req.valid("query")), 200),
  )
  .openapi(
    route("post", "/admin/webhooks/{id}/deliveries/{deliveryId}/redeliver", {
      who: "admin",
      summary: "Send an event again, under the id that it had",
      params: DeliveryParam,
      answers: { 200: Delivery },
    }),
    async (c) => c.json(await sendAgain(c.var.ctx, c.req.valid("param")), 200),
  );
