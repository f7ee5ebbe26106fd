/** Where a publication goes that is to nobody in particular: the room of a group, a course or a stream, or a topic. */
import { openCourse, openRoom } from "../../../chat/access.ts";
import { publishInRoom } from "../../../chat/client.ts";
import type { ServerCtx } from "../../../context.ts";
import type { PublicationFrame, PublicationPosition } from "../../../realtime/publication.ts";
import { findStream, publishInStream } from "../../streams/service.ts";
import { publishInTopic } from "../topics/client.ts";
import type { Publication } from "./contract.ts";

type Tell = (frame: PublicationFrame) => Promise<PublicationPosition>;

/** The way there, when there is such a place: an object is made by a topic's name alone. @throws AppError NOT_FOUND */
export async function findPlace(ctx: ServerCtx, to: Omit<Publication["to"], "users">): Promise<Tell> {
  const { roomId, courseId, streamId, topic = "" } = to;
  if (roomId !== undefined || courseId !== undefined) {
    const access = roomId !== undefined ? await openRoom(ctx, roomId) : await openCourse(ctx, courseId ?? "");
    return (frame) => publishInRoom(ctx, access, frame);
  }
  if (streamId !== undefined) {
    const context = await findStream(ctx, streamId);
    return (frame) => publishInStream(ctx, streamId, context, frame);
  }
  return (frame) => publishInTopic(ctx, topic, frame);
}
