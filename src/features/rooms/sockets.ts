/** The room socket (SPEC 5): `/ws/:roomId/:userId`, with and without `/api/v1`, and `/api/v1/rooms/:roomId/ws`. */
import type { UserCtx } from "../../context.ts";
import { AppError } from "../../errors.ts";
import { router } from "../../http/route.ts";
import { type Destination, socket } from "../../http/sockets.ts";
import { type Access, enterRoom } from "./access.ts";

/** Leads a socket into a room that its user may enter. */
export const intoRoom = (ctx: UserCtx, { roomId, entrance }: Access): Destination => ({
  stub: ctx.env.CHAT_ROOM.getByName(roomId),
  kind: "room",
  facts: entrance,
});

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
