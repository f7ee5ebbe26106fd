/** Tokens for the product's own people, over HTTP (SPEC 12). */
import { route, router } from "../../../http/route.ts";
import { FreshToken } from "../base-contract.ts";
import { MakeToken } from "./contract.ts";
import { makeToken } from "./service.ts";

export const serverTokenRoutes = router().openapi(
  route("post", "/server/tokens", {
    who: "key:tokens",
    summary: "Sign one of the product's own people in",
    body: MakeToken,
    answers: { 200: FreshToken },
  }),
  async (c) => c.json(await makeToken(c.var.ctx, c.req.valid("json")), 200),
);
