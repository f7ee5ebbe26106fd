/** The messenger's rooms, run by the product's own backend (SPEC 12): as the system, or as one of its people. */
import { z } from "zod";
import { ChosenId } from "../../../chosen-id.ts";
import { userText } from "../../../text.ts";
import {
  ClientMessageId,
  FileId,
  FileUrl,
  JoinPolicy,
  MessageParam,
  MessageType,
  NewMessage,
  ReplyTo,
  Room,
  RoomParam,
} from "../../rooms/contract.ts";
import { ONE_IS_NAMED, Somebody, SomebodyById, whom } from "../base-contract.ts";

export { MessageParam, NewMessage, Room, RoomParam };

const ACTING =
  "As one of the product's own people, with their rights; left out: as the system, which may all that an owner may";
const actAs = Somebody.optional().describe(ACTING);

export const ActAsQuery = z.object({ actAs: SomebodyById.optional().describe(ACTING) });

export const MakeServerRoom = z
  .object({
    id: ChosenId.optional(),
    name: userText(100).nullish(),
    isGroup: z.boolean(),
    memberIds: z.array(Somebody).max(500).default([]).describe("With the one whom it is made as, if there is one"),
    joinPolicy: JoinPolicy.default("members"),
    actAs,
  })
  .refine((room) => !room.isGroup || (room.name ?? "") !== "", { path: ["name"], message: "a group needs a name" })
  .refine((room) => room.actAs !== undefined || room.memberIds.length > 0, {
    path: ["memberIds"],
    message: "a room has members",
  })
  .refine((room) => room.isGroup || room.joinPolicy === "members", {
    path: ["joinPolicy"],
    message: "a private room is for its two people",
  });
export type MakeServerRoom = z.output<typeof MakeServerRoom>;

export const AddMember = z
  .object({ ...whom, user: Somebody.optional().describe("In place of these two: either of them"), actAs })
  .refine(
    ({ user, userId, externalId }) => [user, userId, externalId].filter((name) => name !== undefined).length === 1,
    ONE_IS_NAMED,
  );
export const ServerMemberParam = RoomParam.extend({ user: SomebodyById });

/** What a message by the system may be. */
export const SYSTEM_TYPES = ["system", "announcement"] as const;

export const ServerMessage = z.object({
  actAs,
  content: userText(5000, 0).default(""),
  type: MessageType.optional().describe("By the system: `system` (if left out) or `announcement`"),
  fileId: FileId,
  fileUrl: FileUrl,
  replyTo: ReplyTo,
  clientMessageId: ClientMessageId,
});
export type ServerMessage = z.output<typeof ServerMessage>;
