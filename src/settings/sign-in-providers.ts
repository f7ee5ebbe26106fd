/** Who else may sign people in (SPEC 13): the setting OIDC_PROVIDERS, a JSON list. */
import { z } from "zod";
import { ConfigError } from "./config-error.ts";

const FORM = "must be a JSON list of {name, issuer, clientId, clientSecret, scopes?}";

const IS_LOOPBACK = /^(localhost|127\.0\.0\.1|\[::1\])$/;

/** Plain http to this machine: in development alone. */
export const isLoopbackHttp = ({ protocol, hostname }: URL): boolean =>
  protocol === "http:" && IS_LOOPBACK.test(hostname);

function isIssuer(text: string): boolean {
  const url = URL.parse(text);
  return url !== null && (url.protocol === "https:" || isLoopbackHttp(url));
}

const SignInProvider = z.strictObject({
  /** Its name in our paths. */
  name: z.string().regex(/^[a-z0-9][a-z0-9-]{0,31}$/, "must be up to 32 of a-z, 0-9 and -"),
  /** As its discovery document writes it; `https://github.com` for GitHub. Accounts hang on it: a changed one is another provider. */
  issuer: z.string().refine(isIssuer, "must be an https address"),
  clientId: z.string().min(1),
  clientSecret: z.string().min(1),
  scopes: z
    .union([z.string().transform((text) => text.split(/[\s,]+/).filter(Boolean)), z.array(z.string().min(1))])
    .optional(),
});
export type SignInProvider = z.output<typeof SignInProvider>;

const Providers = z
  .array(SignInProvider)
  .max(20)
  .refine((list) => isUnique(list.map(({ name }) => name)), "must have names that differ")
  .refine((list) => isUnique(list.map(({ issuer }) => issuer)), "must have issuers that differ");

const isUnique = (texts: string[]): boolean => new Set(texts).size === texts.length;

/** Reads the setting. What is wrong is said without what stands in it: there are secrets. */
export const signInProviders = z
  .string()
  .default("")
  .transform((text, context): SignInProvider[] => {
    if (text.trim() === "") return [];
    const read = Providers.safeParse(parsedJson(text));
    if (read.success) return read.data;
    const [first] = read.error.issues;
    const where = first && first.path.length > 0 ? `${first.path.join(".")} ` : "";
    context.issues.push({ code: "custom", input: "", message: `${FORM}: ${where}${first?.message ?? ""}` });
    return z.NEVER;
  });

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** What a provider sends back here must not be read on its way, nor go where a request's own host says. @throws ConfigError */
export function refuseOpenProviders(providers: readonly SignInProvider[], publicUrl: string | undefined): void {
  if (providers.length === 0) return;
  if (!publicUrl?.startsWith("https:")) throw new ConfigError("Setting OIDC_PROVIDERS needs PUBLIC_URL, with https.");
  const plain = providers.find(({ issuer }) => isLoopbackHttp(new URL(issuer)));
  if (plain) throw new ConfigError(`Setting OIDC_PROVIDERS must have https in production: ${plain.name} has not.`);
}
