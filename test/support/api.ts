/** The front door: calls the Worker as a client would, and mints users. */
import { exports } from "cloudflare:workers";

export const ORIGIN = "http://localhost:8787";

/** The Worker itself. */
export const worker = exports.default;

export type Answer<T = Record<string, unknown>> = { status: number; body: T; headers: Headers };

type Call = {
  method?: string;
  token?: string | undefined;
  body?: unknown;
  headers?: Record<string, string>;
};

/** A fresh client address for each user, so that limits per address do not mix tests up. */
const freshAddress = (): string => {
  const [a, b, c] = crypto.getRandomValues(new Uint8Array(3));
  return `10.${a}.${b}.${c}`;
};

/** Calls `/api/v1<path>` (or a full path that starts with `//`). A JSON answer is parsed. */
// biome-ignore lint/suspicious/noExplicitAny: tests look into answers freely; expectations are their types.
export async function call<T = any>(
  path: string,
  { method = "GET", token, body, headers = {} }: Call = {},
): Promise<Answer<T>> {
  const url = path.startsWith("//") ? `${ORIGIN}${path.slice(1)}` : `${ORIGIN}/api/v1${path}`;
  const isRaw =
    typeof body === "string" ||
    body instanceof FormData ||
    body instanceof ReadableStream ||
    body instanceof Uint8Array;
  const response = await worker.fetch(url, {
    method,
    redirect: "manual",
    headers: {
      ...(token ? { Authorization: `Bearer ${token}` } : {}),
      ...(body !== undefined && !isRaw ? { "Content-Type": "application/json" } : {}),
      ...headers,
    },
    ...(body === undefined ? {} : { body: isRaw ? (body as BodyInit) : JSON.stringify(body) }),
  });
  const text = await response.text();
  const isJson = response.headers.get("content-type")?.includes("json");
  return { status: response.status, body: (isJson ? JSON.parse(text) : text) as T, headers: response.headers };
}

/** What `X-Cost` says. */
export function costOf({ headers }: { headers: Headers }): Record<string, number> {
  const pairs = (headers.get("X-Cost") ?? "").split(", ").map((pair) => pair.split("="));
  return Object.fromEntries(pairs.map(([name, value]) => [name, Number(value)]));
}

export type TestUser = {
  id: number;
  username: string;
  email: string;
  password: string;
  token: string;
  address: string;
};

/** A user who has called before: whom the isolate knows, whose calls ask the database once (src/auth/session-cache.ts). */
export async function mintKnown(name = "user"): Promise<TestUser> {
  const user = await mintUser(name);
  const { status } = await call("/auth/me", { token: user.token });
  if (status !== 200) throw new Error(`/auth/me answered ${status}`);
  return user;
}

let minted = 0;

/** A fresh user, made through the API. */
export async function mintUser(name = "user"): Promise<TestUser> {
  minted += 1;
  const username = `${name}_${minted}_${Math.random().toString(36).slice(2, 8)}`;
  const email = `${username}@example.com`;
  const password = "correct horse";
  const address = freshAddress();
  const { status, body } = await call("/auth/register", {
    method: "POST",
    body: { username, email, password },
    headers: { "CF-Connecting-IP": address },
  });
  if (status !== 201) throw new Error(`register answered ${status}: ${JSON.stringify(body)}`);
  return { id: body.user.id, username, email, password, token: body.token, address };
}
