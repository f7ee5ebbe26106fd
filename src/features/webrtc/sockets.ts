/** `GET /api/v1/webrtc/sessions/:id/ws`: signaling (SPEC 8). */
import type { UserCtx } from "../../context.ts";
import { router } from "../../http/route.ts";
import { type Destination, socket } from "../../http/sockets.ts";
import type { SessionFacts } from "./participant.ts";
import { openSession } from "./service.ts";

export const webrtcSockets = router();

webrtcSockets.get(
  "/webrtc/sessions/:id/ws",
  socket((ctx, c) => toSession(ctx, c.req.param("id") ?? "")),
);

/** The way into a session, whatever carries the connection. @throws AppError NOT_FOUND · FORBIDDEN */
export async function toSession(ctx: UserCtx, sessionId: string): Promise<Destination> {
  const { id, maxParticipants } = await openSession(ctx, sessionId);
  const facts: SessionFacts = { maxParticipants };
  return { stub: ctx.env.WEBRTC_ROOM.getByName(id), kind: "webrtc", facts };
}
