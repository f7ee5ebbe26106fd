/** What is said in rooms, over HTTP (SPEC 5). */
import { Done, done } from "../../http/answers.ts";
import { route, router } from "../../http/route.ts";
import {
  EditText,
  HistoryQuery,
  MarkRead,
  MessageParam,
  NewMessage,
  React,
  ReactionChange,
  ReadMark,
  RoomMessageList,
  RoomParam,
  SearchQuery,
  SendMessage,
} from "./contract.ts";
import { deleteMessage, editMessage, markRead, react, readHistory, sendMessage } from "./messages.ts";

export const roomMessageRoutes = router()
  .openapi(
    route("get", "/rooms/{id}/messages", {
      who: "user",
      summary: "What was said, newest first",
      params: RoomParam,
      query: HistoryQuery,
      answers: { 200: RoomMessageList },
    }),
    async (c) => c.json(await readHistory(c.var.ctx, c.req.valid("param").id, c.req.valid("query")), 200),
  )
  .openapi(
    route("post", "/rooms/{id}/messages", {
      who: "user",
      summary: "Send",
      description: "An open group takes the writer in. One that does not exist is made, where AUTO_CREATE has rooms.",
      params: RoomParam,
      body: SendMessage,
      answers: { 201: NewMessage },
    }),
    async (c) => c.json(await sendMessage(c.var.ctx, c.req.valid("param").id, await c.req.json()), 201),
  )
  .openapi(
    route("get", "/rooms/{id}/messages/search", {
      who: "user",
      budget: "searches",
      summary: "Search, newest first",
      params: RoomParam,
      query: SearchQuery,
      answers: { 200: RoomMessageList },
    }),
    async (c) => c.json(await readHistory(c.var.ctx, c.req.valid("param").id, c.req.valid("query")), 200),
  )
  .openapi(
    route("patch", "/rooms/{id}/messages/{messageId}", {
      who: "user",
      summary: "Edit my message",
      params: MessageParam,
      body: EditText,
      answers: { 200: NewMessage },
    }),
    async (c) => {
      const { id, messageId } = c.req.valid("param");
      return c.json(await editMessage(c.var.ctx, id, messageId, await c.req.json()), 200);
    },
  )
  .openapi(
    route("delete", "/rooms/{id}/messages/{messageId}", {
      who: "user",
      summary: "Delete",
      description: "My own; the owner and moderators delete others'.",
      params: MessageParam,
      answers: { 200: Done },
    }),
    async (c) => {
      const { id, messageId } = c.req.valid("param");
      await deleteMessage(c.var.ctx, id, messageId);
      return c.json(done("Message deleted"), 200);
    },
  )
  .openapi(
    route("post", "/rooms/{id}/messages/{messageId}/reactions", {
      who: "user",
      summary: "React",
      params: MessageParam,
      body: React,
      answers: { 200: ReactionChange },
    }),
    async (c) => {
      const { id, messageId } = c.req.valid("param");
      return c.json(await react(c.var.ctx, id, messageId, c.req.valid("json"), "added"), 200);
    },
  )
  .openapi(
    route("delete", "/rooms/{id}/messages/{messageId}/reactions", {
      who: "user",
      summary: "Take a reaction back",
      params: MessageParam,
      body: React,
      answers: { 200: ReactionChange },
    }),
    async (c) => {
      const { id, messageId } = c.req.valid("param");
      return c.json(await react(c.var.ctx, id, messageId, c.req.valid("json"), "removed"), 200);
    },
  )
  .openapi(
    route("post", "/rooms/{id}/read", {
      who: "user",
      summary: "Move my read mark",
      description: "It never goes back.",
      params: RoomParam,
      body: MarkRead,
      answers: { 200: ReadMark },
    }),
    async (c) => c.json(await markRead(c.var.ctx, c.req.valid("param").id, c.req.valid("json")), 200),
  );
