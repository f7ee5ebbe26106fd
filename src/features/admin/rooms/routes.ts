/** Rooms, over HTTP, for admins (SPEC 4). */
import { Done, done } from "../../../http/answers.ts";
import { route, router } from "../../../http/route.ts";
import { PeopleQuery, WithReason } from "../base-contract.ts";
import { HOW_COUNTED } from "../search.ts";
import { RoomList, RoomListQuery, RoomMemberList, RoomParam } from "./contract.ts";
import { listMembers } from "./members.ts";
import { endRoom, listRooms } from "./service.ts";

export const adminRoomRoutes = router()
  .openapi(
    route("get", "/admin/rooms", {
      who: "admin",
      summary: "Groups, private rooms and courses",
      description: `What is said in them is not shown. ${HOW_COUNTED}`,
      query: RoomListQuery,
      answers: { 200: RoomList },
    }),
    async (c) => c.json(await listRooms(c.var.ctx, c.req.valid("query")), 200),
  )
  .openapi(
    route("get", "/admin/rooms/{id}/members", {
      who: "admin",
      summary: "Who belongs to a room",
      description: HOW_COUNTED,
      params: RoomParam,
      query: PeopleQuery,
      answers: { 200: RoomMemberList },
    }),
    async (c) => c.json(await listMembers(c.var.ctx, c.req.valid("param").id, c.req.valid("query")), 200),
  )
  .openapi(
    route("delete", "/admin/rooms/{id}", {
      who: "admin",
      summary: "End a group or a course, with all that was said in it; sockets in it close with 4004",
      params: RoomParam,
      body: WithReason,
      answers: { 200: Done },
    }),
    async (c) => c.json(done(await endRoom(c.var.ctx, c.req.valid("param").id, c.req.valid("json").reason)), 200),
  );
