/** How mail goes out (SPEC 13), and what each way needs. */
import { z } from "zod";
import { ConfigError } from "./config-error.ts";
import { oneOf, optional } from "./kinds.ts";

const MAIL_TRANSPORTS = ["cloudflare", "resend", "postmark", "local", "none"] as const;
export type MailTransport = (typeof MAIL_TRANSPORTS)[number];

export const mailSettings = {
  /** Not set: `local` in development, `none` in production. */
  MAIL_TRANSPORT: z.preprocess((value) => value || undefined, z.enum(MAIL_TRANSPORTS).optional()),
  /** `no-reply@example.com`, or `Example <no-reply@example.com>`. */
  MAIL_FROM: optional,
  RESEND_API_KEY: optional,
  POSTMARK_SERVER_TOKEN: optional,
  /** Whether a sign-in with a password needs a verified email. */
  REQUIRE_VERIFIED_EMAIL: oneOf(["0", "1"], "0"),
};

/** What each transport cannot do without. */
const MAIL_NEEDS = {
  cloudflare: ["PUBLIC_URL", "MAIL_FROM"],
  resend: ["PUBLIC_URL", "MAIL_FROM", "RESEND_API_KEY"],
  postmark: ["PUBLIC_URL", "MAIL_FROM", "POSTMARK_SERVER_TOKEN"],
  local: [],
  none: [],
} as const;

type Given = z.output<z.ZodObject<typeof mailSettings>> & { PUBLIC_URL?: string | undefined };

/** The transport of this deployment. @throws ConfigError for one that would not work here */
export function mailTransportOf(settings: Given, isProduction: boolean): MailTransport {
  const transport = settings.MAIL_TRANSPORT ?? (isProduction ? "none" : "local");
  if (isProduction && transport === "local") {
    throw new ConfigError("Setting MAIL_TRANSPORT must not be local in production: nobody would get the mail.");
  }
  const missing = MAIL_NEEDS[transport].filter((name) => settings[name] === undefined);
  if (missing.length > 0) throw new ConfigError(`Missing for MAIL_TRANSPORT=${transport}: ${missing.join(", ")}.`);
  if (settings.REQUIRE_VERIFIED_EMAIL === "1" && transport === "none") {
    throw new ConfigError("Setting REQUIRE_VERIFIED_EMAIL needs MAIL_TRANSPORT: nobody could verify anything.");
  }
  return transport;
}
