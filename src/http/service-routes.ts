/** What the operators of the service use: health, metrics, the API's description. */

import { sql } from "drizzle-orm";
import type { Ctx } from "../context.ts";
import { measureDeliveries } from "../db/outbox-parked.ts";
import { AppError } from "../errors.ts";
import { within } from "../platform/deadline.ts";
import { sameSecret } from "../platform/digest.ts";
import { logFailure } from "../platform/log.ts";
import { exposition, type Gauges } from "../platform/metrics.ts";
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
  return c.text(exposition(await readGauges(c.var.ctx)), 200, {
    "Content-Type": "text/plain; version=0.0.4; charset=utf-8",
  });
});

/** Less than the ten seconds that Prometheus waits for a scrape. */
const GAUGES_SECONDS = 3;

/** None while the database does not answer: the counters, which say so, are exposed all the same. */
async function readGauges(ctx: Ctx): Promise<Gauges> {
  try {
    const found = await within(GAUGES_SECONDS, "The database", () => measureDeliveries(ctx));
    return {
      roomcast_outbox_parked: {
        help: "Outbox rows put aside that wait for an admin, up to 1000.",
        value: found.parked,
      },
      roomcast_outbox_oldest_seconds: { help: "Age of the oldest row in the outbox.", value: found.oldestSeconds },
      roomcast_webhook_failing_seconds: {
        help: "How long the endpoint that has failed longest has taken nothing.",
        value: found.webhookFailingSeconds,
      },
    };
  } catch (error) {
    logFailure(ctx, "metrics.gauges", error);
    return {};
  }
}
