/** The front door: calls the Worker as a client would, and mints users. */
import { env, exports } from "cloudflare:workers";
import { signToken } from "../../src/auth/tokens.ts";
import { config } from "../../src/config.ts";
import { hashPassword } from "../../src/features/auth/password.ts";
import { randomSecret } from "../../src/platform/digest.ts";

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

/** What is sent as it is; all else is sent as JSON. */
const isRaw = (body: unknown): body is string | FormData | ReadableStream | Uint8Array<ArrayBuffer> =>
  typeof body === "string" || body instanceof FormData || body instanceof ReadableStream || body instanceof Uint8Array;

/** Calls `/api/v1<path>` (or a full path that starts with `//`). A JSON answer is parsed. */
// biome-ignore lint/suspicious/noExplicitAny: tests look into answers freely; expectations are their types.
export async function call<T = any>(
  path: string,
  { method = "GET", token, body, headers = {} }: Call = {},
): Promise<Answer<T>> {
  const url = path.startsWith("//") ? `${ORIGIN}${path.slice(1)}` : `${ORIGIN}/api/v1${path}`;
  const isJsonSent = body !== undefined && !isRaw(body);
  const response = await worker.fetch(url, {
    method,
    redirect: "manual",
    headers: {
      ...(token ? { Authorization: `Bearer ${token}` } : {}),
      ...(isJsonSent ? { "Content-Type": "application/json" } : {}),
      ...headers,
    },
    ...(body === undefined ? {} : { body: isRaw(body) ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  const isJson = response.headers.get("content-type")?.includes("json");
  return { status: response.status, body: isJson ? JSON.parse(text) : text, headers: response.headers };
}

export const bearer = ({ token }: { token: string }) => ({ Authorization: `Bearer ${token}` });

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

const PASSWORD = "correct horse";
/** Who has just signed in counts as online for so long. */
const SIGNED_IN_MS = 5 * 60_000;
let passwordHash: string | undefined;

const INSERT_USER = `
  INSERT INTO users (username, email, password_hash, is_folded, created_at, last_active_at, online_until)
  VALUES (?1, ?2, ?3, 1, ?4, ?4, ?5)`;
const INSERT_SESSION = `
  INSERT INTO sessions (id, user_id, created_at, expires_at, address, last_used_at)
  VALUES (?1, last_insert_rowid(), ?2, ?3, ?4, ?2)
  RETURNING user_id`;

type Fresh = Omit<TestUser, "id" | "token">;

function newcomer(name: string): Fresh {
  minted += 1;
  const username = `${name}_${minted}_${Math.random().toString(36).slice(2, 8)}`;
  return { username, email: `${username}@example.com`, password: PASSWORD, address: freshAddress() };
}

/** A fresh user who has registered, with all that comes of it, such as a mail. */
export async function registerUser(name = "user"): Promise<TestUser> {
  const fresh = newcomer(name);
  const { username, email, password, address } = fresh;
  const { status, body } = await call("/auth/register", {
    method: "POST",
    body: { username, email, password },
    headers: { "CF-Connecting-IP": address },
  });
  if (status !== 201) throw new Error(`register answered ${status}: ${JSON.stringify(body)}`);
  return { ...fresh, id: body.user.id, token: body.token };
}

/**
 * A fresh user, as registering makes one (test/auth.test.ts compares the two) in one round trip: most tests begin with some.
 */
export async function mintUser(name = "user"): Promise<TestUser> {
  const fresh = newcomer(name);
  const settings = config(env);
  passwordHash ??= hashPassword(PASSWORD, settings.PASSWORD_SCRYPT_LOG_N);
  const now = new Date();
  const expiresAt = (Math.floor(now.getTime() / 1000) + settings.JWT_EXPIRE_MINUTES * 60) * 1000;
  const sessionId = randomSecret(16);
  const [, session] = await env.DB.batch<{ user_id: number }>([
    env.DB.prepare(INSERT_USER).bind(fresh.username, fresh.email, passwordHash, +now, +now + SIGNED_IN_MS),
    env.DB.prepare(INSERT_SESSION).bind(sessionId, +now, expiresAt, fresh.address),
  ]);
  const id = session?.results[0]?.user_id ?? Number.NaN;
  const { token } = await signToken(settings, { userId: id, sessionId, now });
  return { ...fresh, id, token };
}
