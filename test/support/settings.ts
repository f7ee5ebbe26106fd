/** The Worker as a deployment with other settings or bindings runs it. */
import { createExecutionContext, waitOnExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { app } from "../../src/app.ts";
import { ORIGIN } from "./api.ts";

/** The tests' own environment, with these in place of some of it. */
export const environmentWith = (more: object): Env => ({ ...env, ...more });

/** Calls it there: a whole path, or an address. What it does after its answer is done by then. */
export async function fetchWith(more: object, path: string, init: RequestInit = {}): Promise<Response> {
  const context = createExecutionContext();
  const response = await app.fetch(new Request(new URL(path, ORIGIN), init), environmentWith(more), context);
  await waitOnExecutionContext(context);
  return response;
}

type Call = { method?: string; token?: string; body?: unknown; headers?: Record<string, string> };

/** As `call`, there; `path` is below `/api/v1`, or a whole address. */
export async function callWith(more: object, path: string, { method = "GET", token, body, headers }: Call = {}) {
  const response = await fetchWith(more, path.startsWith("http") ? path : `/api/v1${path}`, {
    method,
    headers: {
      ...headers,
      ...(token ? { Authorization: `Bearer ${token}` } : {}),
      ...(body === undefined ? {} : { "Content-Type": "application/json" }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  const isJson = response.headers.get("content-type")?.includes("json");
  const { status } = response;
  return { status, headers: response.headers, body: text === "" ? undefined : isJson ? JSON.parse(text) : text };
}
