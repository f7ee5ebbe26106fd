/** Rooms by the product's own backend, over HTTP (SPEC 12). */
import { Done, done } from "../../../http/answers.ts";
import { route, router } from "../../../http/route.ts";
import {
  ActAsQuery,
  AddMember,
  MakeServerRoom,
  MessageParam,
  NewMessage,
  Room,
  RoomParam,
  ServerMemberParam,
  ServerMessage,
} from "./contract.ts";
import { addMember, dropMember, endRoom, makeServerRoom, say, unsay } from "./service.ts";

export const serverRoomRoutes = router()
  .openapi(
    route("post", "/server/rooms", {
      who: "key:rooms",
      summary: "Make a group, or find the private room of two people",
      description: "A group that the system makes has no owner.",
      body: MakeServerRoom,
      answers: { 201: Room, 200: Room },
    }),
    async (c) => {
      const { room, isNew } = await makeServerRoom(c.var.ctx, c.req.valid("json"));
      return isNew ? c.json(room, 201) : c.json(room, 200);
    },
  )
  .openapi(
    route("delete", "/server/rooms/{id}", {
      who: "key:rooms",
      summary: "End a group, with all that was said in it",
      params: RoomParam,
      query: ActAsQuery,
      answers: { 200: Done },
    }),
    async (c) => {
      await endRoom(c.var.ctx, c.req.valid("param").id, c.req.valid("query").actAs);
      return c.json(done("Room deleted"), 200);
    },
  )
  .openapi(
    route("post", "/server/rooms/{id}/members", {
      who: "key:rooms",
      summary: "Add a member",
      params: RoomParam,
      body: AddMember,
      answers: { 201: Done, 200: Done },
    }),
    async (c) => {
      const { actAs, user, ...member } = c.req.valid("json");
      const { isNew } = await addMember(c.var.ctx, c.req.valid("param").id, user ?? member, actAs);
      return isNew ? c.json(done("Member added"), 201) : c.json(done("A member already"), 200);
    },
  )
  .openapi(
    route("delete", "/server/rooms/{id}/members/{user}", {
      who: "key:rooms",
      summary: "Remove a member; their sockets in the room close with 4003",
      params: ServerMemberParam,
      query: ActAsQuery,
      answers: { 200: Done },
    }),
    async (c) => {
      const { id, user } = c.req.valid("param");
      await dropMember(c.var.ctx, id, user, c.req.valid("query").actAs);
      return c.json(done("No member any more"), 200);
    },
  )
  .openapi(
    route("post", "/server/rooms/{id}/messages", {
      who: "key:rooms",
      summary: "Say something",
      description: "The system's message has no `userId`; its name is The system.",
      params: RoomParam,
      body: ServerMessage,
      answers: { 201: NewMessage },
    }),
    async (c) => c.json(await say(c.var.ctx, c.req.valid("param").id, c.req.valid("json"), await c.req.json()), 201),
  )
  .openapi(
    route("delete", "/server/rooms/{id}/messages/{messageId}", {
      who: "key:rooms",
      summary: "Delete a message, whoever's it is",
      params: MessageParam,
      query: ActAsQuery,
      answers: { 200: Done },
    }),
    async (c) => {
      const { id, messageId } = c.req.valid("param");
      await unsay(c.var.ctx, id, messageId, c.req.valid("query").actAs);
      return c.json(done("Message deleted"), 200);
    },
  );
