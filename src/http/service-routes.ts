/** What the operators of the service use: health, metrics, the API's description. */

import { sql } from "drizzle-orm";
import { measureOutbox } from "../db/outbox-parked.ts";
import { AppError } from "../errors.ts";
import { sameSecret } from "../platform/digest.ts";
import { exposition } from "../platform/metrics.ts";
import { router } from "./route.ts";

export const serviceRoutes = router();

/** Answers 200 when the database answers. Outside of production it says so: what is only for development asks it first. */
serviceRoutes.get("/healthz", async (c) => {
  const { db, config } = c.var.ctx;
  await db.run(sql`SELECT 1`);
  return c.json({ status: "ok", ...(config.isProduction ? {} : { environment: config.ENVIRONMENT }) });
});

/** Prometheus text, for whoever has METRICS_TOKEN (as bearer or `?token=`); 404 when none is set. */
serviceRoutes.get("/metrics", async (c) => {
  const expected = c.var.ctx.config.METRICS_TOKEN;
  if (!expected) throw new AppError("NOT_FOUND");
  const given = /^Bearer\s+(\S+)$/i.exec(c.req.header("authorization") ?? "")?.[1] ?? c.req.query("token") ?? "";
  if (!(await sameSecret(given, expected))) throw new AppError("UNAUTHORIZED");
  const { parked, oldestSeconds } = await measureOutbox(c.var.ctx);
  const gauges = {
    roomcast_outbox_parked: { help: "Outbox rows put aside that wait for an admin, up to 1000.", value: parked },
    roomcast_outbox_oldest_seconds: { help: "Age of the oldest row in the outbox.", value: oldestSeconds },
  };
  return c.text(exposition(gauges), 200, { "Content-Type": "text/plain; version=0.0.4; charset=utf-8" });
});
