/** Accounts of people whom somebody else names: an identity provider, or the product's own backend. */
import { and, eq, sql } from "drizzle-orm";
import type { Ctx } from "../context.ts";
import { after } from "../db/batch.ts";
import { foldedNames } from "../db/folding.ts";
import { identities } from "../db/tables.ts";
import { AppError } from "../errors.ts";
import { fingerprint } from "../platform/digest.ts";

/** The product's own backend as an issuer: its subjects are the `externalId`s of SPEC 12 and 14. */
export const BACKEND = "urn:roomcast:backend";

export type Identity = {
  issuer: string;
  /** Compared byte by byte (SPEC 11). */
  subject: string;
  username?: string | undefined;
  displayName?: string | undefined;
  /** One that the issuer has verified. */
  email?: string | undefined;
  /** Our own id that the account must have; left out: the next one. */
  userId?: number | undefined;
};

/** Whose account this is: the number of nobody, once it was erased. */
export async function findIdentity(ctx: Ctx, issuer: string, subject: string): Promise<number | undefined> {
  const [known] = await ctx.db
    .select({ userId: identities.userId })
    .from(identities)
    .where(and(eq(identities.issuer, issuer), eq(identities.subject, subject)));
  return known?.userId;
}

/**
 * Finds the account, or makes it on first sight; once, however many ask at the same time. An email that another account has
 * is not taken over: whoever controls the issuer would control that account.
 * @throws AppError UNAUTHORIZED the id that it must have is somebody else's
 */
export async function accountOf(ctx: Ctx, identity: Identity): Promise<number> {
  const { issuer, subject, userId } = identity;
  const known = (await findIdentity(ctx, issuer, subject)) ?? (await makeAccount(ctx, identity));
  // Known from before its number was to be ours.
  if (userId !== undefined && known !== userId) throw new AppError("UNAUTHORIZED");
  return known;
}

async function makeAccount(ctx: Ctx, identity: Identity): Promise<number> {
  const { issuer, subject, displayName = null, userId = null } = identity;
  const wanted = (identity.username ?? identity.email?.split("@")[0] ?? "user").replace(/[^A-Za-z0-9_.]/g, "");
  const suffix = (await fingerprint(`${issuer}\n${subject}`)).replace(/[^A-Za-z0-9]/g, "").slice(0, 10);
  const unique = `${wanted.slice(0, 19)}_${suffix}`;
  const placeholder = `${suffix.toLowerCase()}@identity.invalid`;
  const email = identity.email ?? placeholder;
  const isEmailTaken = sql`EXISTS (SELECT 1 FROM users WHERE email = ${email} COLLATE NOCASE)`;
  const { displayNameFolded = null } = foldedNames({ displayName });
  const username = wanted.length >= 3 ? wanted.slice(0, 30) : unique;
  await ctx.db.batch({
    user: ctx.db.run(sql`
      INSERT INTO users (id, username, email, display_name, display_name_folded, is_folded, created_at, email_verified_at)
      SELECT ${userId},
        CASE WHEN EXISTS (SELECT 1 FROM users WHERE username = ${username} COLLATE NOCASE) THEN ${unique} ELSE ${username} END,
        CASE WHEN ${isEmailTaken} THEN ${placeholder} ELSE ${email} END,
        ${displayName}, ${displayNameFolded}, 1, ${ctx.now.getTime()},
        CASE WHEN ${identity.email ?? null} IS NULL OR ${isEmailTaken} THEN NULL ELSE ${ctx.now.getTime()} END
      WHERE NOT EXISTS (SELECT 1 FROM identities WHERE issuer = ${issuer} AND subject = ${subject})
        AND NOT EXISTS (SELECT 1 FROM users WHERE id = ${userId})`),
    identity: after(
      "user",
      ctx.db.run(sql`
      INSERT INTO identities (issuer, subject, user_id)
      SELECT ${issuer}, ${subject}, last_insert_rowid() WHERE changes() > 0
      ON CONFLICT DO NOTHING`),
    ),
  });
  const made = await findIdentity(ctx, issuer, subject);
  if (made === undefined) throw new AppError("UNAUTHORIZED");
  return made;
}
