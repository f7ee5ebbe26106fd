/** `GET /streams/:id/ws`: the socket of a stream's chat (SPEC 7). Any signed-in user may open it. */

import type { UserCtx } from "../../context.ts";
import { AppError } from "../../errors.ts";
import { IntegerId } from "../../http/answers.ts";
import { router } from "../../http/route.ts";
import { type Destination, socket } from "../../http/sockets.ts";
import { type Region, regionOf } from "../../platform/regions.ts";
import { respell } from "../../spelling.ts";
import { Redirect } from "./audience/relay.ts";
import { findStream } from "./room-client.ts";

export const streamSockets = router();

streamSockets.get(
  "/streams/:id/ws",
  socket((ctx, c) => toStream(ctx, c.req.param("id") ?? "", regionOf(c.req.raw))),
);

/** The way into a stream's room, whatever carries the connection. @throws AppError NOT_FOUND */
export async function toStream(ctx: UserCtx, streamId: string, region?: Region): Promise<Destination> {
  const id = IntegerId.safeParse(respell(IntegerId, streamId).value);
  if (!id.success) throw new AppError("NOT_FOUND");
  const context = { ...(await findStream(ctx, id.data)), region };
  const stub = ctx.env.STREAM_ROOM.getByName(String(id.data));
  return { stub, kind: "stream", context, followRedirect: (redirect) => toAudience(ctx, redirect) };
}

function toAudience({ env }: UserCtx, redirect: string): Destination {
  const { name, region, facts: context } = Redirect.parse(JSON.parse(redirect));
  return { stub: env.STREAM_AUDIENCE.getByName(name, { locationHint: region }), kind: "stream", context };
}
