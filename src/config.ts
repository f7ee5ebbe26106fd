/** Settings and secrets, parsed once per isolate. Every limit has its unit in its name. */
import { z } from "zod";
import { ROLES } from "./roles.ts";
import { ConfigError } from "./settings/config-error.ts";
import {
  claimsOf,
  globs,
  list,
  oneOf,
  optional,
  optionalKey,
  optionalSecret,
  originsOf,
  partsOf,
  publicOrigin,
  secret,
  secretKey,
  sharedSecret,
  whole,
} from "./settings/kinds.ts";
import { type MailTransport, mailSettings, mailTransportOf } from "./settings/mail.ts";
import { refuseOpenProviders, signInProviders } from "./settings/sign-in-providers.ts";
import { type Vapid, vapidOf, webPushSettings } from "./settings/web-push.ts";

const DEVELOPMENT_ORIGIN = "http://localhost:8787";
const DEVELOPMENT_ORIGINS = /^https?:\/\/(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$/;

/** What joining or writing to it makes, if it does not exist (SPEC 14). */
const MADE_ON_FIRST_USE = ["courses", "calls", "rooms"] as const;
export type MadeOnFirstUse = (typeof MADE_ON_FIRST_USE)[number];

/** Words of a list, or `none`. */
const autoCreate = optional
  .transform((text) => (text === undefined ? undefined : partsOf(text === "none" ? "" : text)))
  .pipe(z.array(z.enum(MADE_ON_FIRST_USE, `must be none, or some of ${MADE_ON_FIRST_USE.join(", ")}`)).optional());

const Settings = z.object({
  ENVIRONMENT: z.string().default("production"),
  ALLOWED_ORIGINS: list.transform(originsOf),
  JWT_SECRET_KEY: secretKey,
  /** The key being rotated out: verified, never used to sign. */
  JWT_SECRET_KEY_PREVIOUS: optionalKey,
  JWT_EXPIRE_MINUTES: whole(10080),
  JWT_JWKS_URL: optional,
  JWT_ISSUER: optional,
  JWT_AUDIENCE: optional,
  /** Signs the tokens of a backend that exists (HS256), at least 32 bytes. */
  JWT_SHARED_SECRET: sharedSecret,
  JWT_SHARED_AUDIENCE: optional,
  /** `name=value`, comma-separated: claims that such a token must have. */
  JWT_SHARED_REQUIRE: list.transform(claimsOf),
  /** The claim that names whom such a token is for: their `externalId`. */
  JWT_SUBJECT_CLAIM: z.string().min(1).default("sub"),
  JWT_ROLE_CLAIM: optional,
  /** The highest role that JWT_ROLE_CLAIM gives. */
  JWT_ROLE_MOST: oneOf(ROLES, "user"),
  /** `subject`: ids of users here are the numbers of the backend that signs tokens. */
  USER_IDS: oneOf(["own", "subject"], "own"),
  /** Who else may sign people in (SPEC 13); a secret, as it has theirs. */
  OIDC_PROVIDERS: signInProviders,
  WEBHOOK_SECRET: list.pipe(z.array(secret)),
  /** Where media servers may call from, besides having the secret; empty: from anywhere. */
  WEBHOOK_ADDRESSES: list,
  /** For addresses in answers and messages; without it, the request's own origin. */
  PUBLIC_URL: publicOrigin,
  ...mailSettings,
  /** Empty in development: then no link is signed. */
  FILES_SIGNING_KEY: optionalKey,
  /** Of files whose upload says nothing of it. */
  FILES_DEFAULT_VISIBILITY: oneOf(["private", "public"], "private"),
  /** What one user's files may take in all, uploads that are under way among them; 0: any amount. */
  QUOTA_FILES_MEGABYTES: whole(5000, 0),
  RATE_LIMIT_MESSAGES: whole(100),
  RATE_LIMIT_TYPING: whole(10),
  RATE_LIMIT_ADMIN_API: whole(1000),
  RATE_LIMIT_LOGINS: whole(10),
  RATE_LIMIT_SIGNALING: whole(1200),
  /** Mails that may be asked for one account in half an hour. */
  RATE_LIMIT_MAILS: whole(5),
  /** All that one user changes over REST, and what sockets make for them on first use, in a minute. */
  RATE_LIMIT_WRITES: whole(300),
  /** Searches and other reads that cost much, of one user in a minute. */
  RATE_LIMIT_SEARCHES: whole(120),
  /** Calls of the server API, per key and minute. */
  RATE_LIMIT_SERVER_API: whole(6000),
  /** Engine.IO sessions that one address may open in a minute; a school behind one address comes back from a restart all at once. */
  RATE_LIMIT_HANDSHAKES: whole(600),
  RATE_LIMIT_BAN_MINUTES: whole(15, 0),
  /** Unknown stream keys that one publisher may try in a minute. */
  RATE_LIMIT_STREAM_KEYS: whole(20),
  /** log2 of scrypt's N. 15 with r=8, p=3 equals OWASP's advice and fits a Worker; only tests may go lower. */
  PASSWORD_SCRYPT_LOG_N: whole(15, 1, 15),
  /** Three times the media server's heartbeat (`notify_update_timeout 10s`), for hooks that do not tell theirs: silent for longer, a stream has ended. */
  STREAM_LEASE_SECONDS: whole(30),
  /** For media servers without a heartbeat: no broadcast is longer than this. */
  STREAM_MAX_HOURS: whole(24),
  STREAM_EVENTS_KEPT_DAYS: whole(30),
  /** How long answers may be kept in memory. A change of status shows at once all the same; these bound viewer counts. */
  CACHE_STREAM_LISTS_SECONDS: whole(5, 0),
  CACHE_STREAM_DETAILS_SECONDS: whole(10, 0),
  CACHE_VODS_SECONDS: whole(30, 0),
  /** Whether a first connection without `since` is sent what came while its user had none (SPEC 14). */
  OFFLINE_QUEUE: oneOf(["1", "0"], "1"),
  /** People in a room up to whom each is told of each (SPEC 5). */
  PRESENCE_EXACT: whole(100),
  /** Native viewers of a stream that one object holds; its room, and each of its audience objects. */
  AUDIENCE_OBJECT_MAX: whole(2000),
  /** Where in the bucket a media server may put recordings itself: `POST /vod/upload` with `path` takes nothing else. */
  VOD_PREFIX: z
    .string()
    .regex(/^([\w-]+\/)+$/, "must be folders that end with a slash")
    .default("recordings/"),
  VOD_MAX_MEGABYTES: whole(5000),
  /** Topics that any signed-in user may hear: names with `*` and `?`. Others take a topic token. */
  TOPICS_OPEN: list.transform(globs),
  /** How long the database, or another object, may take for one answer. A stream of bytes may take longer. */
  TIMEOUT_DATABASE_SECONDS: whole(15),
  TIMEOUT_OBJECTS_SECONDS: whole(15),
  /** Not set: all in development, none in production. */
  AUTO_CREATE: autoCreate,
  ...webPushSettings,
  METRICS_TOKEN: optionalSecret,
  DEBUG_COST: z.string().default(""),
  TURN_URLS: list,
  TURN_SHARED_SECRET: optionalSecret,
  TURN_TTL_SECONDS: whole(3600),
  CLOUDFLARE_TURN_KEY_ID: optional,
  CLOUDFLARE_TURN_API_TOKEN: optional,
  STUN_URLS: z.string().default("stun:stun.cloudflare.com:3478").transform(partsOf),
});

/** For whoever hands settings on: of a process, only what is one of ours. */
export const SETTING_NAMES: string[] = Object.keys(Settings.shape);

export type Config = Omit<z.output<typeof Settings>, "AUTO_CREATE" | "MAIL_TRANSPORT"> & {
  isProduction: boolean;
  debugCost: boolean;
  MAIL_TRANSPORT: MailTransport;
  /** Where mailed links lead: PUBLIC_URL; in development, without it, what `npm start` listens at. */
  mailOrigin: string;
  AUTO_CREATE: readonly MadeOnFirstUse[];
  /** Undefined: there is no Web Push. */
  VAPID: Vapid | undefined;
};

/** Secrets that production must bring; development has generated or empty ones. */
const REQUIRED_IN_PRODUCTION = ["ALLOWED_ORIGINS", "WEBHOOK_SECRET", "FILES_SIGNING_KEY"] as const;

function parseConfig(env: object): Config {
  const parsed = Settings.safeParse(env);
  if (!parsed.success) {
    const lines = parsed.error.issues.map((issue) => {
      const name = String(issue.path[0]);
      return name in env ? `Setting ${name} ${issue.message}` : `Setting ${name} is missing`;
    });
    throw new ConfigError(`${[...new Set(lines)].join("; ")}. See "Settings" in the README.`);
  }
  const settings = parsed.data;
  const isProduction = settings.ENVIRONMENT === "production";
  if (isProduction) {
    const missing = REQUIRED_IN_PRODUCTION.filter((name) => settings[name].length === 0);
    if (missing.length > 0) {
      throw new ConfigError(`Missing in production: ${missing.join(", ")}. See "Settings" in the README.`);
    }
  }
  refuseMixedKeys(settings);
  if (isProduction) refuseOpenProviders(settings.OIDC_PROVIDERS, settings.PUBLIC_URL);
  if (isProduction && settings.PASSWORD_SCRYPT_LOG_N < 15) {
    throw new ConfigError("Setting PASSWORD_SCRYPT_LOG_N must be 15 in production.");
  }
  const AUTO_CREATE = settings.AUTO_CREATE ?? (isProduction ? [] : MADE_ON_FIRST_USE);
  // Whose ids are another backend's are made by it alone.
  const OIDC_PROVIDERS = settings.USER_IDS === "subject" ? [] : settings.OIDC_PROVIDERS;
  return {
    ...settings,
    AUTO_CREATE,
    OIDC_PROVIDERS,
    MAIL_TRANSPORT: mailTransportOf(settings, isProduction),
    VAPID: vapidOf(settings, isProduction),
    mailOrigin: settings.PUBLIC_URL ?? DEVELOPMENT_ORIGIN,
    isProduction,
    debugCost: settings.DEBUG_COST === "1",
  };
}

/** Whoever else knows a key of ours could sign as us. @throws ConfigError */
function refuseMixedKeys({ JWT_SHARED_SECRET, USER_IDS, ...settings }: z.output<typeof Settings>): void {
  const { JWT_SECRET_KEY, JWT_SECRET_KEY_PREVIOUS, FILES_SIGNING_KEY, METRICS_TOKEN, TURN_SHARED_SECRET } = settings;
  const own = [JWT_SECRET_KEY, JWT_SECRET_KEY_PREVIOUS, FILES_SIGNING_KEY, METRICS_TOKEN, TURN_SHARED_SECRET];
  if (JWT_SHARED_SECRET && [...own, ...settings.WEBHOOK_SECRET].includes(JWT_SHARED_SECRET)) {
    throw new ConfigError("Setting JWT_SHARED_SECRET must be none of our own keys.");
  }
  if (USER_IDS === "subject" && (!JWT_SHARED_SECRET || settings.JWT_JWKS_URL)) {
    throw new ConfigError("Setting USER_IDS=subject needs JWT_SHARED_SECRET, and no JWT_JWKS_URL.");
  }
}

const parsed = new WeakMap<object, Config>();

/**
 * The settings of this deployment.
 * @throws ConfigError naming the first missing or malformed settings.
 */
export function config(env: object): Config {
  const known = parsed.get(env);
  if (known) return known;
  const fresh = parseConfig(env);
  parsed.set(env, fresh);
  return fresh;
}

/** Whether a browser page of this origin may use the API (exact match: a suffix test would let `app.example.evil` in). */
export function isAllowedOrigin(settings: Config, origin: string, ownOrigin: string): boolean {
  if (origin === ownOrigin) return true;
  if (settings.ALLOWED_ORIGINS.length > 0) return settings.ALLOWED_ORIGINS.includes(origin);
  return !settings.isProduction && DEVELOPMENT_ORIGINS.test(origin);
}
