/** What every handler finds in its call. */
import type { Context } from "hono";
import type { Ctx } from "../context.ts";
import type { Who } from "./who.ts";

/** `who`: whom the route is for; `anyone` until one was found. */
export type HttpEnv = { Bindings: Env; Variables: { ctx: Ctx; who: Who } };

/** Whether a call is to the API for a product's own backend (SPEC 12). */
export const isServerCall = (c: Context<HttpEnv>): boolean => c.req.path.startsWith("/api/v1/server/");

/** Whether a call of this method changes something. */
export const isWrite = (method: string): boolean => !/^(get|head|options)$/i.test(method);
