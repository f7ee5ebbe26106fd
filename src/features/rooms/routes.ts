/** The directory of rooms over HTTP (SPEC 5). */
import { Done, done } from "../../http/answers.ts";
import { route, router } from "../../http/route.ts";
import {
  ChangeRoom,
  Invite,
  MakeRoom,
  MemberParam,
  Mute,
  MuteState,
  PageQuery,
  Room,
  RoomList,
  RoomParam,
  RoomWithMembers,
} from "./contract.ts";
import { inviteMember, removeMember } from "./members.ts";
import { muteMember } from "./messages.ts";
import { changeRoom, deleteRoom, listRooms, makeRoom, readRoom } from "./service.ts";

export const roomRoutes = router()
  .openapi(
    route("post", "/rooms", {
      who: "user",
      summary: "Make a group, or find the private room with somebody",
      body: MakeRoom,
      answers: { 201: Room, 200: Room },
    }),
    async (c) => {
      const { room, isNew } = await makeRoom(c.var.ctx, c.req.valid("json"));
      return isNew ? c.json(room, 201) : c.json(room, 200);
    },
  )
  .openapi(
    route("get", "/rooms", {
      who: "user",
      summary: "My rooms, the latest talk first",
      query: PageQuery,
      answers: { 200: RoomList },
    }),
    async (c) => c.json(await listRooms(c.var.ctx, c.req.valid("query")), 200),
  )
  .openapi(
    route("get", "/rooms/{id}", {
      who: "user",
      summary: "A room and its members",
      params: RoomParam,
      answers: { 200: RoomWithMembers },
    }),
    async (c) => c.json(await readRoom(c.var.ctx, c.req.valid("param").id), 200),
  )
  .openapi(
    route("patch", "/rooms/{id}", {
      who: "user",
      summary: "Rename, hand over, or slow down",
      description: "The owner. Slow mode: moderators among the members too.",
      params: RoomParam,
      body: ChangeRoom,
      answers: { 200: RoomWithMembers },
    }),
    async (c) => c.json(await changeRoom(c.var.ctx, c.req.valid("param").id, c.req.valid("json")), 200),
  )
  .openapi(
    route("delete", "/rooms/{id}", {
      who: "user",
      summary: "End a group, with all that was said in it",
      params: RoomParam,
      answers: { 200: Done },
    }),
    async (c) => {
      await deleteRoom(c.var.ctx, c.req.valid("param").id);
      return c.json(done("Room deleted"), 200);
    },
  )
  .openapi(
    route("post", "/rooms/{id}/members", {
      who: "user",
      summary: "Invite",
      params: RoomParam,
      body: Invite,
      answers: { 201: RoomWithMembers, 200: RoomWithMembers },
    }),
    async (c) => {
      const { id } = c.req.valid("param");
      const { isNew } = await inviteMember(c.var.ctx, id, c.req.valid("json").userId);
      const room = await readRoom(c.var.ctx, id);
      return isNew ? c.json(room, 201) : c.json(room, 200);
    },
  )
  .openapi(
    route("delete", "/rooms/{id}/members/{userId}", {
      who: "user",
      summary: "Leave, or remove somebody",
      description: "Their sockets in the room close with 4003. An owner who leaves hands over to the oldest member.",
      params: MemberParam,
      answers: { 200: Done },
    }),
    async (c) => {
      const { id, userId } = c.req.valid("param");
      await removeMember(c.var.ctx, id, userId);
      return c.json(done("No member any more"), 200);
    },
  )
  .openapi(
    route("post", "/rooms/{id}/members/{userId}/mute", {
      who: "user",
      summary: "Mute somebody for a while",
      description: "The owner and moderators. Who is muted reads, and may delete their own messages.",
      params: MemberParam,
      body: Mute,
      answers: { 200: MuteState },
    }),
    async (c) => {
      const { id, userId } = c.req.valid("param");
      return c.json(await muteMember(c.var.ctx, id, userId, c.req.valid("json").seconds), 200);
    },
  )
  .openapi(
    route("delete", "/rooms/{id}/members/{userId}/mute", {
      who: "user",
      summary: "Unmute",
      params: MemberParam,
      answers: { 200: MuteState },
    }),
    async (c) => {
      const { id, userId } = c.req.valid("param");
      return c.json(await muteMember(c.var.ctx, id, userId, null), 200);
    },
  );
