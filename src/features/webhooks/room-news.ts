/** What endpoints hear of what is said in rooms and courses. */
import type { NewsTeller, RoomNews } from "../../chat/news.ts";
import type { WebhookEventType } from "./contract.ts";
import { tellEndpoints } from "./news.ts";

type Types = Partial<Record<RoomNews["kind"], WebhookEventType>>;

const IN_ROOMS: Types = {
  message: "room.message_sent",
  edit: "room.message_edited",
  deletion: "room.message_deleted",
};
const IN_COURSES: Types = { message: "course.message_sent" };

export const roomNews: NewsTeller = {
  events: ({ kind }) => Object.values(kind === "course" ? IN_COURSES : IN_ROOMS),

  /** A position of a log means one thing for ever, and so does the id that is made of it. */
  tell: (ctx, { roomId, info }, news) => {
    const types = info.kind === "course" ? IN_COURSES : IN_ROOMS;
    const subject = info.kind === "course" ? `course:${info.courseId}` : `room:${info.publicId ?? roomId}`;
    const told = news.flatMap(({ kind, seq, at, data }) => {
      const type = types[kind];
      return type ? [{ id: `${roomId}-${seq}`, type, subject, at, data }] : [];
    });
    return told.length > 0 ? tellEndpoints(ctx, told) : Promise.resolve();
  },
};
