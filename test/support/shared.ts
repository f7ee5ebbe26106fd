/** A backend that exists: signs tokens with a secret that it shares with the service (SPEC 14). */
import { createExecutionContext, waitOnExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { SignJWT } from "jose";
import { app } from "../../src/app.ts";
import { ORIGIN } from "./api.ts";

export const SHARED_SECRET = "the-secret-of-a-backend-that-was-there-before";
const encode = (text: string) => new TextEncoder().encode(text);

type Claims = Record<string, unknown>;

/** As its login answers it: `type` says that it is no refresh token. */
export const signShared = (claims: Claims, secret = SHARED_SECRET, header: Record<string, unknown> = {}) =>
  new SignJWT({ type: "access", exp: Math.floor(Date.now() / 1000) + 600, ...claims })
    .setProtectedHeader({ alg: "HS256", typ: "JWT", ...header })
    .sign(encode(secret));

export const freshExternalId = (): string => `ext-${crypto.randomUUID()}`;

type Call = { method?: string; token?: string; body?: unknown; headers?: Record<string, string> };

/** A call of a deployment with other settings; `path` is below `/api/v1`, or a whole address. */
export async function callWith(settings: object, path: string, { method = "GET", token, body, headers }: Call = {}) {
  const context = createExecutionContext();
  const request = new Request(path.startsWith("http") ? path : `${ORIGIN}/api/v1${path}`, {
    method,
    headers: {
      ...headers,
      ...(token ? { Authorization: `Bearer ${token}` } : {}),
      ...(body === undefined ? {} : { "Content-Type": "application/json" }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const response = await app.fetch(request, { ...env, ...settings }, context);
  const text = await response.text();
  await waitOnExecutionContext(context);
  const isJson = response.headers.get("content-type")?.includes("json");
  const { status } = response;
  return { status, headers: response.headers, body: text === "" ? undefined : isJson ? JSON.parse(text) : text };
}
