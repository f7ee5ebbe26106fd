/** The room socket (SPEC 5): `/ws/:roomId/:userId`, with and without `/api/v1`, and `/api/v1/rooms/:roomId/ws`. */
import { isNamed } from "../../auth/user-names.ts";
import { joinRoom } from "../../chat/access.ts";
import { intoRoom } from "../../chat/client.ts";
import { AppError } from "../../errors.ts";
import { router } from "../../http/route.ts";
import { socket } from "../../http/sockets.ts";

/** The messenger's own path, which names the user too. Mounted at `/` and at `/api/v1`. */
export const messengerSockets = router();
messengerSockets.get(
  "/ws/:roomId/:userId",
  socket(async (ctx, c) => {
    // Before anything is made or joined in their name.
    if (!(await isNamed(ctx, ctx.actor, c.req.param("userId") ?? ""))) throw new AppError("FORBIDDEN");
    return intoRoom(ctx, await joinRoom(ctx, c.req.param("roomId") ?? ""));
  }),
);

export const roomSockets = router();
roomSockets.get(
  "/rooms/:roomId/ws",
  socket(async (ctx, c) => intoRoom(ctx, await joinRoom(ctx, c.req.param("roomId") ?? ""))),
);
