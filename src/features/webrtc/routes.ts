/** Video sessions over HTTP (SPEC 8). */
import { Done, done } from "../../http/answers.ts";
import { route, router } from "../../http/route.ts";
import { Attendance, CreateSession, IceServers, IceServersQuery, Session, SessionParam } from "./contract.ts";
import { readIceServers } from "./ice.ts";
import { createSession, endSession, readAttendance, readSession } from "./service.ts";

export const webrtcRoutes = router()
  .openapi(
    route("post", "/webrtc/sessions", {
      who: "user",
      summary: "Open a session",
      body: CreateSession,
      answers: { 201: Session },
    }),
    async (c) => c.json(await createSession(c.var.ctx, c.req.valid("json")), 201),
  )
  .openapi(
    route("get", "/webrtc/sessions/{id}", {
      who: "user",
      summary: "A session",
      params: SessionParam,
      answers: { 200: Session },
    }),
    async (c) => c.json(await readSession(c.var.ctx, c.req.valid("param").id), 200),
  )
  .openapi(
    route("delete", "/webrtc/sessions/{id}", {
      who: "user",
      summary: "End a session for everybody (its host)",
      params: SessionParam,
      answers: { 200: Done },
    }),
    async (c) => {
      await endSession(c.var.ctx, c.req.valid("param").id);
      return c.json(done("Session ended"), 200);
    },
  )
  .openapi(
    route("get", "/webrtc/sessions/{id}/attendance", {
      who: "user",
      summary: "Who was there (its host, moderators)",
      params: SessionParam,
      answers: { 200: Attendance },
    }),
    async (c) => c.json(await readAttendance(c.var.ctx, c.req.valid("param").id), 200),
  )
  .openapi(
    route("get", "/webrtc/ice-servers", {
      who: "user",
      summary: "STUN servers, and TURN servers for participants",
      query: IceServersQuery,
      answers: { 200: IceServers },
    }),
    async (c) => c.json(await readIceServers(c.var.ctx, c.req.valid("query")), 200),
  );
