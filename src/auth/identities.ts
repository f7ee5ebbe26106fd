/** Accounts of people whom somebody else names: an identity provider, or the product's own backend. */
import { and, eq, type SQL, type SQLWrapper, sql } from "drizzle-orm";
import type { Ctx } from "../context.ts";
import { after, type Statements } from "../db/batch.ts";
import { foldedNames } from "../db/folding.ts";
import { identities } from "../db/tables.ts";
import { AppError } from "../errors.ts";
import { fingerprint } from "../platform/digest.ts";

/** The product's own backend as an issuer: its subjects are the `externalId`s of SPEC 12 and 14. */
export const BACKEND = "urn:roomcast:backend";

/** The number that a subject is, where `USER_IDS=subject`; null if it is none that an id can be. */
export function idIn(subject: string): number | null {
  const id = /^[1-9]\d{0,15}$/.test(subject) ? Number(subject) : Number.NaN;
  return Number.isSafeInteger(id) ? id : null;
}

export type Identity = {
  issuer: string;
  /** Compared byte by byte (SPEC 11). */
  subject: string;
  username?: string | undefined;
  displayName?: string | null | undefined;
  avatarUrl?: string | null | undefined;
  /** One that the issuer has verified. */
  email?: string | undefined;
  /** Our own id that the account must have; left out: the next one. */
  userId?: number | undefined;
};

/** Whose account was erased: the identity stays known, and no user has this id. */
export const NOBODY = 0;

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
  const known = (await findIdentity(ctx, issuer, subject)) ?? (await makeAccount(ctx, identity)).id;
  if (known === undefined) throw new AppError("UNAUTHORIZED");
  // Known from before its number was to be ours.
  if (userId !== undefined && known !== userId) throw new AppError("UNAUTHORIZED");
  return known;
}

/** An account that the product's backend asks for itself. */
type Asked = {
  /** What else belongs into the batch; it reads the `changes()` of the statement "identity". */
  record: Statements;
};

/**
 * Makes the account, unless there is one. A name or email that somebody has is replaced by another; not for `asked`: then
 * nothing is made. An erased identity gets a new account from `asked` alone.
 * @returns its id, also if it was there already; NOBODY's, if it was erased; undefined when none was made
 */
export async function makeAccount(
  ctx: Ctx,
  identity: Identity,
  asked?: Asked,
): Promise<{ id: number | undefined; isNew: boolean }> {
  const { issuer, subject, displayName = null, avatarUrl = null, userId = null } = identity;
  const wanted = (identity.username ?? identity.email?.split("@")[0] ?? "user").replace(/[^A-Za-z0-9_.]/g, "");
  const suffix = (await fingerprint(`${issuer}\n${subject}`)).replace(/[^A-Za-z0-9]/g, "").slice(0, 10);
  const unique = `${wanted.slice(0, 19)}_${suffix}`;
  const placeholder = `${suffix.toLowerCase()}${PLACEHOLDER_DOMAIN}`;
  const email = identity.email ?? placeholder;
  const isEmailTaken = sql`EXISTS (SELECT 1 FROM users WHERE email = ${email} COLLATE NOCASE)`;
  const { displayNameFolded = null } = foldedNames({ displayName });
  const username = wanted.length >= 3 ? wanted.slice(0, 30) : unique;
  const isKnown = asked ? sql`user_id <> ${NOBODY}` : sql`1`;
  const isTaken = asked ? isTakenByOther(null, identity) : sql`0`;
  const { user } = await ctx.db.batch({
    user: ctx.db.run(sql`
      INSERT INTO users (id, username, email, display_name, display_name_folded, avatar_url, is_folded, created_at,
        email_verified_at)
      SELECT ${userId},
        CASE WHEN EXISTS (SELECT 1 FROM users WHERE username = ${username} COLLATE NOCASE) THEN ${unique} ELSE ${username} END,
        CASE WHEN ${isEmailTaken} THEN ${placeholder} ELSE ${email} END,
        ${displayName}, ${displayNameFolded}, ${avatarUrl}, 1, ${ctx.now.getTime()},
        CASE WHEN ${identity.email ?? null} IS NULL OR ${isEmailTaken} THEN NULL ELSE ${ctx.now.getTime()} END
      WHERE NOT EXISTS (SELECT 1 FROM identities WHERE issuer = ${issuer} AND subject = ${subject} AND ${isKnown})
        AND NOT EXISTS (SELECT 1 FROM users WHERE id = ${userId}) AND NOT ${isTaken}`),
    identity: after(
      "user",
      ctx.db.run(sql`
      INSERT INTO identities (issuer, subject, user_id, email, linked_at)
      SELECT ${issuer}, ${subject}, last_insert_rowid(), ${identity.email ?? null}, ${ctx.now.getTime()} WHERE changes() > 0
      ON CONFLICT (issuer, subject) DO UPDATE SET user_id = excluded.user_id, email = excluded.email,
        linked_at = excluded.linked_at WHERE identities.user_id = ${NOBODY}`),
    ),
    ...asked?.record,
  });
  return { id: await findIdentity(ctx, issuer, subject), isNew: user.meta.changes > 0 };
}

/** The condition that somebody else has this username or email, in whatever case. */
export const isTakenByOther = (
  userId: SQLWrapper | null,
  { username = null, email = null }: { username?: string | null | undefined; email?: string | null | undefined },
): SQL => sql`EXISTS (SELECT 1 FROM users other
  WHERE (other.username = ${username} COLLATE NOCASE OR other.email = ${email} COLLATE NOCASE)
    AND other.id IS NOT ${userId})`;

/** The email of who has none. */
const PLACEHOLDER_DOMAIN = "@identity.invalid";

/** An account's own email; null for one that stands in for none. */
export const ownEmail = (email: string): string | null => (email.endsWith(PLACEHOLDER_DOMAIN) ? null : email);
