/** The bytes of a video, for whoever may see it. */
import { and, eq } from "drizzle-orm";
import { askedAgain } from "../../auth/authenticate.ts";
import { serveObject } from "../../bytes/serve.ts";
import type { Ctx } from "../../context.ts";
import { files, videos } from "../../db/tables.ts";
import { AppError } from "../../errors.ts";
import { servedAs } from "../files/service.ts";
import { isVisibleTo } from "./service.ts";

/** @throws AppError NOT_FOUND no such video for this caller, or its bytes lie elsewhere (`videoUrl` says where) */
export async function playVideo(ctx: Ctx, request: Request, videoId: number): Promise<Response> {
  const [row] = await findVideo(ctx, videoId);
  if (!row) throw new AppError("NOT_FOUND");
  const isStillAllowed = async () => (await findVideo(await askedAgain(ctx), videoId)).length > 0;
  return serveObject(ctx, request, { ...servedAs(row.file, "inline"), isStillAllowed });
}

const findVideo = (ctx: Ctx, videoId: number) =>
  ctx.db
    .select({ file: files })
    .from(videos)
    .innerJoin(files, eq(files.id, videos.fileId))
    .where(and(eq(videos.id, videoId), isVisibleTo(ctx.actor)));
