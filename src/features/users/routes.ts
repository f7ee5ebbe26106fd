/** People over HTTP (SPEC 3). */
import { UserParam } from "../../http/answers.ts";
import { route, router } from "../../http/route.ts";
import { PeopleList, PeopleQuery, Profile } from "./contract.ts";
import { listPeople } from "./search.ts";
import { readProfile } from "./service.ts";

export const userRoutes = router()
  .openapi(
    route("get", "/users", {
      who: "user",
      budget: "searches",
      summary: "Find people",
      query: PeopleQuery,
      answers: { 200: PeopleList },
    }),
    async (c) => c.json(await listPeople(c.var.ctx, c.req.valid("query")), 200),
  )
  .openapi(
    route("get", "/users/{id}", { who: "anyone", summary: "A profile", params: UserParam, answers: { 200: Profile } }),
    async (c) => c.json(await readProfile(c.var.ctx, c.req.valid("param").id), 200),
  );
