/** Direct messages over HTTP (SPEC 3). */
import { Done, done, UserIdParam } from "../../http/answers.ts";
import { route, router } from "../../http/route.ts";
import { ConversationList, DirectMessage, FeedQuery, MarkMessagesSeen, MessageList, SendMessage } from "./contract.ts";
import { listConversations, markMessagesSeen, readConversation, readInbox, sendMessage } from "./service.ts";

export const messageRoutes = router()
  .openapi(
    route("post", "/messages", { who: "user", summary: "Send", body: SendMessage, answers: { 201: DirectMessage } }),
    async (c) => c.json(await sendMessage(c.var.ctx, c.req.valid("json")), 201),
  )
  .openapi(
    route("get", "/messages/inbox", {
      who: "user",
      summary: "Received, oldest first",
      query: FeedQuery,
      answers: { 200: MessageList },
    }),
    async (c) => c.json(await readInbox(c.var.ctx, c.req.valid("query")), 200),
  )
  .openapi(
    route("get", "/messages/conversations", {
      who: "user",
      summary: "Whom I talk to",
      query: FeedQuery,
      answers: { 200: ConversationList },
    }),
    async (c) => c.json(await listConversations(c.var.ctx, c.req.valid("query")), 200),
  )
  .openapi(
    route("get", "/messages/with/{userId}", {
      who: "user",
      summary: "With one person, newest first",
      params: UserIdParam,
      query: FeedQuery,
      answers: { 200: MessageList },
    }),
    async (c) => c.json(await readConversation(c.var.ctx, c.req.valid("param").userId, c.req.valid("query")), 200),
  )
  .openapi(
    route("post", "/messages/mark-seen", {
      who: "user",
      summary: "Mark as seen",
      body: MarkMessagesSeen,
      answers: { 200: Done },
    }),
    async (c) => {
      const { messageIds } = await markMessagesSeen(c.var.ctx, c.req.valid("json"));
      return c.json(done(`${messageIds.length} marked as seen`), 200);
    },
  );
