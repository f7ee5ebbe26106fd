/** `GET /api/v1/webrtc/sessions/:id/ws`: signaling (SPEC 8). */
import type { UserCtx } from "../../context.ts";
import { router } from "../../http/route.ts";
import { type Destination, socket } from "../../http/sockets.ts";
import type { SessionContext } from "./participant.ts";
import { joinSession, openSession } from "./service.ts";

export const webrtcSockets = router();

webrtcSockets.get(
  "/webrtc/sessions/:id/ws",
  socket((ctx, c) => toSession(ctx, c.req.param("id") ?? "", false)),
);

/** The way into a session, whatever carries the connection. `isBack`: as Channel.enter. @throws AppError as joinSession */
export async function toSession(ctx: UserCtx, name: string, isBack: boolean): Promise<Destination> {
  const { id, ...known } = await (isBack ? openSession : joinSession)(ctx, name);
  const context: SessionContext = known;
  return { stub: ctx.env.WEBRTC_ROOM.getByName(id), kind: "webrtc", context };
}
