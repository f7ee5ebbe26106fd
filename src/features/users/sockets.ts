/** `GET /api/v1/ws`: the user's event socket (SPEC 2). */
import { deliverNow, pendingFor } from "../../db/outbox.ts";
import { router } from "../../http/route.ts";
import { socket } from "../../http/sockets.ts";

export const userSockets = router();

userSockets.get(
  "/ws",
  socket(async (ctx) => {
    const { id } = ctx.actor;
    // What a crash left in the outbox has to be in the log before the client is told its position.
    const left = await pendingFor(ctx, `user:${id}`);
    if (left.length > 0) await deliverNow(ctx, left);
    return { stub: ctx.env.USER_HUB.getByName(String(id)), kind: "user" };
  }),
);
