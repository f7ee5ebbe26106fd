/** The export of oneself over HTTP (SPEC 13). */
import { Bytes, route, router } from "../../http/route.ts";
import { exportAccount } from "./export.ts";

export const exportRoutes = router().openapi(
  route("get", "/auth/me/export", {
    who: "user",
    summary: "All that is kept of me",
    description:
      "One JSON document, streamed: `account`, a list for each kind of thing, `files` with links that open with a token of mine, and `inRooms`: what I said and did in rooms, courses, streams and calls, by `place`. Once a day: 429 with `Retry-After`. One that breaks off is no valid JSON, and does not count.",
    answers: { 200: Bytes },
  }),
  async (c) =>
    c.body(await exportAccount(c.var.ctx), 200, {
      "Content-Type": "application/json; charset=utf-8",
      "Content-Disposition": 'attachment; filename="account.json"',
    }),
);
