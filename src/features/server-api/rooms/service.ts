/** Rooms by the product's own backend: the messenger's own verbs, done by the system or by one of the product's people. */
import { sql } from "drizzle-orm";
import { recordEach } from "../../../auth/audit.ts";
import { openRoom } from "../../../chat/access.ts";
import { removeBySystem, sayBySystem } from "../../../chat/client.ts";
import type { ServerCtx, UserCtx } from "../../../context.ts";
import { badField } from "../../../input.ts";
import { deleteMessage, deleteRoom, inviteMember, makeRoom, removeMember, sendMessage } from "../../rooms/service.ts";
import type { Somebody } from "../base-contract.ts";
import { actFor } from "../users/act-for.ts";
import { findEverybody } from "../users/somebody.ts";
import { type MakeServerRoom, NewMessage, type ServerMessage, SYSTEM_TYPES } from "./contract.ts";

type As = Somebody | undefined;

const doer = async (ctx: ServerCtx, as: As): Promise<ServerCtx | UserCtx> => (as === undefined ? ctx : actFor(ctx, as));

/** @throws AppError as actFor and makeRoom of the messenger */
export async function makeServerRoom(ctx: ServerCtx, { actAs, memberIds, ...room }: MakeServerRoom) {
  const people = await findEverybody(ctx, memberIds);
  const made = await makeRoom(await doer(ctx, actAs), { ...room, memberIds: people });
  if (made.isNew) await record(ctx, "create", made.room.id, { actAs });
  return made;
}

/** @throws AppError as actFor and inviteMember */
export async function addMember(ctx: ServerCtx, roomId: string, user: Somebody, actAs: As) {
  const [userId = 0] = await findEverybody(ctx, [user]);
  const added = await inviteMember(await doer(ctx, actAs), roomId, userId);
  if (added.isNew) await record(ctx, "update", roomId, { actAs, added: userId });
  return added;
}

/** @throws AppError as actFor and removeMember */
export async function dropMember(ctx: ServerCtx, roomId: string, user: Somebody, actAs: As): Promise<void> {
  const [userId = 0] = await findEverybody(ctx, [user]);
  await removeMember(await doer(ctx, actAs), roomId, userId);
  await record(ctx, "update", roomId, { actAs, removed: userId });
}

/** @throws AppError as actFor and deleteRoom */
export async function endRoom(ctx: ServerCtx, roomId: string, actAs: As): Promise<void> {
  await deleteRoom(await doer(ctx, actAs), roomId);
  await record(ctx, "delete", roomId, { actAs });
}

/**
 * `body` as it came, for a room that parses it itself: see `act` of the messenger.
 * @throws AppError as actFor and sendMessage; INVALID_REQUEST a message by the system without text, or of another type
 */
export async function say(ctx: ServerCtx, roomId: string, { actAs, ...said }: ServerMessage, body: unknown) {
  const message =
    actAs === undefined
      ? NewMessage.parse(await saySystem(ctx, roomId, said))
      : await sendMessage(await actFor(ctx, actAs), roomId, body);
  await record(ctx, "message", roomId, { actAs, messageId: message.id });
  return message;
}

async function saySystem(ctx: ServerCtx, roomId: string, said: Omit<ServerMessage, "actAs">): Promise<unknown> {
  const type = SYSTEM_TYPES.find((known) => known === (said.type ?? "system"));
  if (!type) throw badField("type", "the system sends messages of type system or announcement");
  if (said.content === "") throw badField("content", "may not be empty");
  if (said.fileId != null || said.fileUrl !== null) throw badField("fileUrl", "a file is sent as one of the people");
  return sayBySystem(ctx, await openRoom(ctx, roomId), { ...said, type });
}

/** @throws AppError as actFor and deleteMessage */
export async function unsay(ctx: ServerCtx, roomId: string, messageId: string, actAs: As): Promise<void> {
  if (actAs === undefined) await removeBySystem(ctx, await openRoom(ctx, roomId), messageId);
  else await deleteMessage(await actFor(ctx, actAs), roomId, messageId);
  await record(ctx, "delete", roomId, { actAs, messageId });
}

type Deed = "create" | "update" | "delete" | "message";

const record = (ctx: ServerCtx, action: Deed, roomId: string, details: object) =>
  recordEach(ctx, {
    action,
    targetType: "room",
    id: sql`${roomId}`,
    from: sql`(SELECT 1) WHERE true`,
    details: sql`${JSON.stringify(details)}`,
  });
