/** `GET /streams/:id/ws`: the socket of a stream's chat (SPEC 7). Any signed-in user may open it. */

import { AppError } from "../../errors.ts";
import { IntegerId } from "../../http/answers.ts";
import { router } from "../../http/route.ts";
import { socket } from "../../http/sockets.ts";
import { streamFacts } from "./chat.ts";

export const streamSockets = router();

streamSockets.get(
  "/streams/:id/ws",
  socket(async (ctx, c) => {
    const id = IntegerId.safeParse(c.req.param("id"));
    if (!id.success) throw new AppError("NOT_FOUND");
    const facts = await streamFacts(ctx, id.data);
    return { stub: ctx.env.STREAM_ROOM.getByName(String(id.data)), kind: "stream", facts };
  }),
);
