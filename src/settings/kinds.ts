/** What a setting may be: each kind reads a text, and says in words what is wrong with it. An empty text is not set. */
import { z } from "zod";

const numberOf = (value: unknown): unknown =>
  typeof value === "string" ? (/^\d{1,15}$/.test(value) ? Number(value) : value || undefined) : value;
export const whole = (fallback: number, min = 1, max = Number.MAX_SAFE_INTEGER) =>
  z.preprocess(numberOf, z.number("must be a whole number").int().min(min).max(max).default(fallback));
export const partsOf = (text: string): string[] => text.split(",").flatMap((part) => part.trim() || []);
export const list = z.string().default("").transform(partsOf);
export const optional = z
  .string()
  .optional()
  .transform((text) => text?.trim() || undefined);
/** Shorter ones can be tried out by whoever may ask often; a random one of 16 characters cannot. */
export const secret = z.string().min(16, "must have at least 16 characters");
export const optionalSecret = optional.pipe(secret.optional());
/** 32 bytes is the length of the hash: a shorter HS256 key is weaker than the signature it makes (RFC 7518, 3.2). */
export const secretKey = z.string().min(32, "must have at least 32 characters");
export const optionalKey = z
  .string()
  .default("")
  .refine((key) => key === "" || key.length >= 32, "must have at least 32 characters");

export const sharedSecret = optional.pipe(
  z
    .string()
    .refine((text) => new TextEncoder().encode(text).length >= 32, "must have at least 32 bytes")
    .optional(),
);

/** @returns pairs of a claim and what it must be */
export function claimsOf(texts: string[], context: z.RefinementCtx): [name: string, value: string][] {
  return texts.map((text) => {
    const [name = "", ...value] = text.split("=");
    if (name === "" || value.length === 0) {
      context.issues.push({ code: "custom", input: text, message: `must be like type=access: ${text} is not` });
    }
    return [name, value.join("=")];
  });
}

export const oneOf = <const T extends readonly [string, ...string[]]>(values: T, fallback: T[number]) =>
  z.preprocess((value) => value || undefined, z.enum(values).default(fallback));
/** Where people reach this service; a path behind it is not supported. */
export const publicOrigin = optional.pipe(
  z
    .url({ protocol: /^https?$/, error: "must be like https://api.example.com" })
    .transform((text) => new URL(text).origin)
    .optional(),
);

/**
 * Origins as browsers send them: no slash at the end, in lower case, without the scheme's own port. Apps have schemes of their
 * own (`capacitor://localhost`), whose origin the URL standard calls opaque.
 */
export function originsOf(texts: string[], context: z.RefinementCtx): string[] {
  return texts.map((text) => {
    const url = URL.parse(text);
    const isOrigin = url !== null && /^[a-z][a-z0-9+.-]*:\/\/[^/?#@*]+\/?$/i.test(text);
    if (!isOrigin) {
      const message = `must be origins like https://app.example.com: ${text} is none`;
      context.issues.push({ code: "custom", input: text, message });
    }
    return url !== null && url.origin !== "null" ? url.origin : text.toLowerCase().replace(/\/$/, "");
  });
}

/** Names with `*` for any characters and `?` for one. */
export const globs = (texts: string[]): RegExp[] =>
  texts.map((text) => {
    const parts = text.split(/([*?])/).map((part) => ({ "*": ".*", "?": "." })[part] ?? RegExp.escape(part));
    return new RegExp(`^${parts.join("")}$`);
  });
