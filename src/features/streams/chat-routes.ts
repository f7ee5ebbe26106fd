/** A stream's chat over HTTP (SPEC 7). Signed-in users only: whoever is not cannot wake an object. */
import { Done, done, IdParam } from "../../http/answers.ts";
import { route, router } from "../../http/route.ts";
import {
  ChatHistory,
  ChatHistoryQuery,
  ChatMessage,
  ChatMessageParam,
  MuteParam,
  MuteViewer,
  SendChatMessage,
  SlowMode,
} from "./chat-contract.ts";
import { executeInChat, readChat, sayInChat } from "./room-client.ts";

export const streamChatRoutes = router()
  .openapi(
    route("get", "/streams/{id}/chat", {
      who: "user",
      summary: "The chat, newest first; kept after the stream ends",
      params: IdParam,
      query: ChatHistoryQuery,
      answers: { 200: ChatHistory },
    }),
    async (c) => c.json(await readChat(c.var.ctx, c.req.valid("param").id, c.req.valid("query")), 200),
  )
  .openapi(
    route("post", "/streams/{id}/chat", {
      who: "user",
      summary: "Write",
      params: IdParam,
      body: SendChatMessage,
      answers: { 201: ChatMessage },
    }),
    async (c) => {
      const said = await sayInChat(c.var.ctx, c.req.valid("param").id, c.req.valid("json"));
      return c.json(ChatMessage.parse(said), 201);
    },
  )
  .openapi(
    route("delete", "/streams/{id}/chat/{messageId}", {
      who: "user",
      summary: "Delete a message (the stream's owner, moderators)",
      params: ChatMessageParam,
      answers: { 200: Done },
    }),
    async (c) => {
      const { id, messageId } = c.req.valid("param");
      await executeInChat(c.var.ctx, id, "chat_delete", { messageId });
      return c.json(done("The message is deleted"), 200);
    },
  )
  .openapi(
    route("post", "/streams/{id}/chat/mutes", {
      who: "user",
      summary: "Mute somebody in this chat (the stream's owner, moderators)",
      params: IdParam,
      body: MuteViewer,
      answers: { 200: Done },
    }),
    async (c) => {
      await executeInChat(c.var.ctx, c.req.valid("param").id, "chat_mute", c.req.valid("json"));
      return c.json(done("The user is muted"), 200);
    },
  )
  .openapi(
    route("delete", "/streams/{id}/chat/mutes/{userId}", {
      who: "user",
      summary: "Lift a mute",
      params: MuteParam,
      answers: { 200: Done },
    }),
    async (c) => {
      const { id, userId } = c.req.valid("param");
      await executeInChat(c.var.ctx, id, "chat_unmute", { userId });
      return c.json(done("The user may write again"), 200);
    },
  )
  .openapi(
    route("put", "/streams/{id}/chat/slow-mode", {
      who: "user",
      summary: "Seconds between two messages of one person; 0 for none",
      params: IdParam,
      body: SlowMode,
      answers: { 200: Done },
    }),
    async (c) => {
      const { seconds } = c.req.valid("json");
      await executeInChat(c.var.ctx, c.req.valid("param").id, "chat_slow_mode", { seconds });
      return c.json(done(seconds === 0 ? "Slow mode is off" : `Slow mode: ${seconds} s`), 200);
    },
  );
