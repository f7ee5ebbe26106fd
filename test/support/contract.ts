/** The contract as the docs know it, for tests that go through all of it: every route, and every socket. */
import { env } from "cloudflare:workers";
import { z } from "zod";
import { api } from "../../src/app.ts";
import { call, mintUser } from "./api.ts";
import { mint } from "./media.ts";
import { mintGroup, promote } from "./rooms.ts";
import { openSocket, type TestSocket } from "./socket.ts";

export type Declared = {
  name: string;
  method: string;
  path: string;
  params?: z.ZodType;
  query?: z.ZodType;
  body?: z.ZodType;
};

const isSchema = (value: unknown): value is z.ZodType => value instanceof z.ZodType;

/** Every route with its schemas, as the docs know them. The media servers' hook takes what media servers send. */
export const ROUTES: Declared[] = api.openAPIRegistry.definitions.flatMap((definition) => {
  if (definition.type !== "route" || definition.route.path.startsWith("/webhook")) return [];
  const { method, path, request } = definition.route;
  const content = request?.body?.content["application/json"];
  const json = content && "schema" in content ? content.schema : undefined;
  return {
    name: `${method} ${path}`,
    method: method.toUpperCase(),
    path,
    ...(isSchema(request?.params) ? { params: request.params } : {}),
    ...(isSchema(request?.query) ? { query: request.query } : {}),
    ...(isSchema(json) ? { body: json } : {}),
  };
});

let courses = 0;

/** A socket of this path, as one who may do everything there, in a place that nobody else is in. */
export async function openFresh(path: string): Promise<TestSocket> {
  if (path === "/topics/{topic}/ws") return openSocket(`/topics/news/ws?token=${(await mintUser()).token}`);
  if (path === "/ws") return openSocket(`/ws?token=${(await mintUser()).token}`);
  if (path === "/streams/{id}/ws")
    return openSocket(`/streams/${(await mint()).id}/ws?token=${(await mintUser()).token}`);
  const user = await mintUser();
  if (path === "/webrtc/sessions/{id}/ws") {
    const { body } = await call("/webrtc/sessions", { method: "POST", token: user.token, body: {} });
    return openSocket(`/webrtc/sessions/${body.id}/ws?token=${user.token}`);
  }
  if (path === "/chat/courses/{courseId}/ws") {
    await promote(env.DB, user, "moderator");
    courses += 1;
    const courseId = `walked-${courses}`;
    await call("/chat/courses", { method: "POST", token: user.token, body: { courseId, name: "Walked" } });
    return openSocket(`/chat/courses/${courseId}/ws?token=${user.token}`);
  }
  const { roomId, people } = await mintGroup("owner", "member");
  return openSocket(`//ws/${roomId}/${people[0]?.id}?token=${people[0]?.token}`);
}
