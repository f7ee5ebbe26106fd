/** The API's description (SPEC 11), made from the schemas that validate. Built once per isolate: it cannot change. */
import type { OpenAPIHono } from "@hono/zod-openapi";
import type { MiddlewareHandler } from "hono";
import { asyncApi } from "./docs/asyncapi.ts";
import { type Described, openApi } from "./docs/openapi.ts";
import type { HttpEnv } from "./env.ts";
import { router } from "./route.ts";

const CACHE_SECONDS = 300;

/** `GET /openapi.json` and `GET /asyncapi.json`, for anybody. */
export function docsRoutes(described: () => Described): OpenAPIHono<HttpEnv> {
  const describeHttp = once(() => openApi(described()));
  const describeSockets = once(() => asyncApi(described().sockets));
  const docs = router();
  docs.get("/openapi.json", cacheable, (c) => c.json(describeHttp()));
  docs.get("/asyncapi.json", cacheable, (c) => {
    const { host, protocol } = new URL(c.req.url);
    return c.json({
      ...describeSockets(),
      servers: { here: { host, protocol: protocol === "https:" ? "wss" : "ws" } },
    });
  });
  return docs;
}

const cacheable: MiddlewareHandler<HttpEnv> = async (c, next) => {
  await next();
  c.header("Cache-Control", `public, max-age=${CACHE_SECONDS}`);
};

function once<T>(make: () => T): () => T {
  let made: { value: T } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}
