/** Signing in by others: OIDC providers and GitHub (SPEC 13). */
import { z } from "zod";
import { Timestamp } from "../../../realtime/protocol.ts";
import { alsoNamed } from "../../../spelling.ts";

export const ProviderParam = z.object({ provider: z.string().min(1).max(32) });

export const SignInProviders = z.object({
  providers: z.array(z.object({ name: z.string().describe("Its name in paths, as OIDC_PROVIDERS has it") })),
});

export const BeginSignIn = z.object({
  redirect: z
    .url()
    .max(2000)
    .describe("The page to come back to, of ALLOWED_ORIGINS; it gets `code`, or `error` and `error_description`"),
  code_challenge: z
    .string()
    .regex(/^[A-Za-z0-9_-]{43}$/, "must be the SHA-256 of the page's verifier, in base64url")
    .describe("Of a verifier that the page keeps to itself (RFC 7636, S256)"),
  code_challenge_method: z.literal("S256").default("S256"),
});
export type BeginSignIn = z.output<typeof BeginSignIn>;

/** What a provider sends along, as far as we name it; all of it is judged by the library. */
export const ProviderAnswer = z.object({
  state: z.string().min(1).max(200),
  code: z.string().max(4096).optional(),
  error: z.string().max(4096).optional(),
});

export const ExchangeCode = z.object({
  code: z.string().min(1).max(200).describe("What the page was given in its address; good once, for 60 s"),
  verifier: alsoNamed(
    z
      .string()
      .regex(/^[A-Za-z0-9._~-]{43,128}$/, "must be 43 to 128 of letters, digits, - . _ and ~")
      .describe("That of the `code_challenge` with which the page began"),
    "code_verifier",
  ),
});
export type ExchangeCode = z.output<typeof ExchangeCode>;

export const LinkedIdentity = z
  .object({
    provider: z.string(),
    email: z.string().nullable().describe("As the provider told it when this was linked"),
    linkedAt: Timestamp.nullable(),
  })
  .meta({ id: "LinkedIdentity" });
export type LinkedIdentity = z.infer<typeof LinkedIdentity>;

export const IdentityList = z.object({ identities: z.array(LinkedIdentity) });
