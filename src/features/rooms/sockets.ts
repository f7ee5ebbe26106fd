/** The room socket (SPEC 5): `/ws/:roomId/:userId`, with and without `/api/v1`, and `/api/v1/rooms/:roomId/ws`. */
import { enterRoom } from "../../chat/access.ts";
import { intoRoom } from "../../chat/client.ts";
import { AppError } from "../../errors.ts";
import { router } from "../../http/route.ts";
import { socket } from "../../http/sockets.ts";

/** The messenger's own path, which names the user too. Mounted at `/` and at `/api/v1`. */
export const messengerSockets = router();
messengerSockets.get(
  "/ws/:roomId/:userId",
  socket(async (ctx, c) => {
    const access = await enterRoom(ctx, c.req.param("roomId") ?? "");
    if (c.req.param("userId") !== String(ctx.actor.id)) throw new AppError("FORBIDDEN");
    return intoRoom(ctx, access);
  }),
);

export const roomSockets = router();
roomSockets.get(
  "/rooms/:roomId/ws",
  socket(async (ctx, c) => intoRoom(ctx, await enterRoom(ctx, c.req.param("roomId") ?? ""))),
);
