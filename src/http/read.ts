/** Bodies and queries of HTTP, read as the contract says they are. */
import type { Context } from "hono";
import { AppError } from "../errors.ts";
import { badField } from "../input.ts";
import { isTooDeep } from "../json-depth.ts";
import { JSON_DEPTH_MAX } from "../limits.ts";

/** A query; what is empty in it is not there, since pages build their links from what they have. */
export const queryIn = (query: Record<string, string[]>): Record<string, string | string[]> =>
  Object.fromEntries(
    Object.entries(query).flatMap(([name, values]) => {
      const [only, ...more] = values.filter((value) => value !== "");
      return only === undefined ? [] : [[name, more.length === 0 ? only : values]];
    }),
  );

/**
 * A JSON body; none at all is `{}`, which the schema refuses if it needs anything.
 * @throws AppError INVALID_REQUEST · UNSUPPORTED_MEDIA_TYPE
 */
export async function readJson(c: Context): Promise<unknown> {
  requireJson(c);
  const text = await c.req.text();
  if (text !== "" && c.req.header("content-type") === undefined) throw notJson();
  return text === "" ? {} : parseJson(text);
}

/** Whether the body can be JSON at all. @throws AppError UNSUPPORTED_MEDIA_TYPE */
export function requireJson(c: Context): void {
  if (!isJson(c.req.header("content-type"))) throw notJson();
}

/** Whether a body of this type can be JSON. One that says nothing can. */
export const isJson = (type: string | undefined): boolean =>
  type === undefined || /^application\/([\w.+-]+\+)?json\b/i.test(type);

const notJson = (): AppError => new AppError("UNSUPPORTED_MEDIA_TYPE", "Send application/json.");

/** @throws AppError INVALID_REQUEST */
function parseJson(text: string): unknown {
  if (isTooDeep(text)) throw badField("", `may be nested ${JSON_DEPTH_MAX} times`);
  try {
    return JSON.parse(text);
  } catch {
    const message = "The body is not valid JSON.";
    throw new AppError("INVALID_REQUEST", message, { details: [{ path: "", message }] });
  }
}
