/** The end of a sign-in by others: whose account it is, and which identities an account has. */
import { and, eq, type SQL, sql } from "drizzle-orm";
import { refuseBarred } from "../../../auth/authenticate.ts";
import { accountOf, findIdentity } from "../../../auth/identities.ts";
import { actingAs, type Ctx, type UserCtx } from "../../../context.ts";
import { after, type Statements } from "../../../db/batch.ts";
import { inList } from "../../../db/json.ts";
import { deliverSoon, pendingFor } from "../../../db/outbox.ts";
import { identities, users } from "../../../db/tables.ts";
import { AppError } from "../../../errors.ts";
import { hasMail, queueMail, sendMailSoon } from "../../mail/service.ts";
import { notify } from "../../notifications/service.ts";
import { limitAddress } from "../limits.ts";
import { signIn } from "../service.ts";
import type { ExchangeCode, LinkedIdentity } from "./contract.ts";
import { providerNamed } from "./providers.ts";
import { type CodeHolder, redeemCode } from "./service.ts";

/**
 * Signs in whom the provider named; their account is made on first sight, under a username that is free.
 * @throws AppError INVALID_REQUEST the code is no good · CONFLICT their email is another account's · FORBIDDEN banned or inactive ·
 *   UNAUTHORIZED their account was erased · RATE_LIMIT
 */
export async function exchangeCode(ctx: Ctx, input: ExchangeCode) {
  await limitAddress(ctx);
  const named = await redeemCode(ctx, input);
  const userId = (await findIdentity(ctx, named.issuer, named.subject)) ?? (await firstSight(ctx, named));
  const [user] = await ctx.db.select().from(users).where(eq(users.id, userId));
  if (!user) throw new AppError("UNAUTHORIZED", "This account was erased.");
  refuseBarred(ctx, user);
  return signIn(ctx, user);
}

/**
 * Whose account it is from now on. An email joins two accounts only if both sides know that it is the same person's: else
 * whoever wrote it down first, here or there, would get into what the other one does later.
 */
async function firstSight(ctx: Ctx, named: CodeHolder): Promise<number> {
  const { issuer, subject, username, displayName, email, emailVerified } = named;
  const holder = email === null ? undefined : await holderOf(ctx, email);
  if (holder?.emailVerifiedAt && emailVerified) return join(ctx, holder, named);
  if (holder) {
    const words = "There is an account with this email. Sign in to it, and link this provider in its settings.";
    throw new AppError("CONFLICT", words);
  }
  return accountOf(ctx, {
    issuer,
    subject,
    username: username ?? undefined,
    displayName: displayName ?? undefined,
    // Who could write another's address here would lock them out of it.
    email: emailVerified ? (email ?? undefined) : undefined,
  });
}

type User = typeof users.$inferSelect;

async function holderOf(ctx: Ctx, email: string): Promise<User | undefined> {
  const [holder] = await ctx.db.select().from(users).where(sql`${users.email} = ${email} COLLATE NOCASE`);
  return holder;
}

/** Links the identity to the account that has its email, unless that has changed meanwhile, and tells its owner. */
async function join(ctx: Ctx, holder: User, { issuer, subject, email }: CodeHolder): Promise<number> {
  refuseBarred(ctx, holder);
  const byUs = actingAs(ctx, { kind: "system" });
  const isStillTheirs = sql`EXISTS (SELECT 1 FROM users WHERE id = ${holder.id}
    AND email = ${email} COLLATE NOCASE AND email_verified_at IS NOT NULL)`;
  const { pending } = await ctx.db.batch({
    linked: linkStatement(ctx, { issuer, subject, email, userId: holder.id }, isStillTheirs),
    ...notify(byUs, {
      who: identityLinked(ctx, holder.id, issuer, sql`changes() > 0`),
      onlyAfter: "linked",
      isOfficial: true,
    }),
    ...mailOfLink(ctx, { issuer, subject, userId: holder.id }),
    pending: pendingFor(ctx, `user:${holder.id}`),
  });
  deliverSoon(ctx, pending);
  sendMailSoon(ctx);
  const userId = await findIdentity(ctx, issuer, subject);
  if (userId === undefined) throw new AppError("CONFLICT", "This account has another identity of this provider.");
  return userId;
}

type NewIdentity = { issuer: string; subject: string; email: string | null; userId: number };

/** A statement that mails the account's owner if the identity has just been linked; none where no mail is set up. */
function mailOfLink(ctx: Ctx, { issuer, subject, userId }: Omit<NewIdentity, "email">): Statements {
  if (!hasMail(ctx)) return {};
  const isNew = sql`EXISTS (SELECT 1 FROM identities WHERE issuer = ${issuer} AND subject = ${subject}
    AND user_id = u.id AND linked_at = ${ctx.now.getTime()})`;
  return { mailed: queueMail(ctx, { template: "identity-linked", where: sql`u.id = ${userId} AND ${isNew}` }) };
}

/** One of each provider. */
const linkStatement = (ctx: Ctx, { issuer, subject, email, userId }: NewIdentity, condition: SQL = sql`1`) =>
  ctx.db.run(sql`
    INSERT INTO identities (issuer, subject, user_id, email, linked_at)
    SELECT ${issuer}, ${subject}, ${userId}, ${email}, ${ctx.now.getTime()}
    WHERE NOT EXISTS (SELECT 1 FROM identities WHERE issuer = ${issuer} AND user_id = ${userId}) AND ${condition}
    ON CONFLICT DO NOTHING`);

/** What `notify` asks for: the account's owner, of whom the notification is, with the provider's name. */
const identityLinked = (ctx: Ctx, userId: number, issuer: string, condition: SQL): SQL =>
  sql`SELECT ${userId} AS user_id, 'identity_linked' AS type, ${userId} AS ref_id, 'user' AS target_type,
    ${userId} AS target_id, ${nameOf(ctx, issuer)} AS target_title WHERE ${condition}`;

const nameOf = ({ config: { OIDC_PROVIDERS } }: Ctx, issuer: string): string =>
  OIDC_PROVIDERS.find((provider) => provider.issuer === issuer)?.name ?? issuer;

/** The identities of an account at the providers that are set up. */
export async function listIdentities(ctx: UserCtx): Promise<LinkedIdentity[]> {
  const rows = await ctx.db
    .select()
    .from(identities)
    .where(and(eq(identities.userId, ctx.actor.id), inList(identities.issuer, issuersOf(ctx))));
  return rows.map(({ issuer, email, linkedAt }) => ({
    provider: nameOf(ctx, issuer),
    email,
    linkedAt: linkedAt?.toISOString() ?? null,
  }));
}

const issuersOf = ({ config: { OIDC_PROVIDERS } }: Ctx): string[] => OIDC_PROVIDERS.map(({ issuer }) => issuer);

/**
 * Lets whom the provider named into the caller's account from now on. The page went the same way as for a sign-in, and has
 * the code's verifier: nobody else can bring a code of their own account into this one.
 * @throws AppError INVALID_REQUEST the code is no good, or another provider's · CONFLICT the identity is another account's, or
 *   this account has another one there · NOT_FOUND no such provider
 */
export async function linkIdentity(ctx: UserCtx, name: string, input: ExchangeCode): Promise<LinkedIdentity[]> {
  const { issuer } = providerNamed(ctx, name);
  const named = await redeemCode(ctx, input);
  if (named.issuer !== issuer) throw new AppError("INVALID_REQUEST", "This code is of another provider.");
  const me = ctx.actor.id;
  const identity = { issuer, subject: named.subject, email: named.email, userId: me };
  await ctx.db.batch({ linked: linkStatement(ctx, identity), ...mailOfLink(ctx, identity) });
  sendMailSoon(ctx);
  const holder = await findIdentity(ctx, issuer, named.subject);
  if (holder === undefined) {
    throw new AppError("CONFLICT", "Another identity of this provider is linked already. Remove that one first.");
  }
  if (holder !== me) throw new AppError("CONFLICT", "This identity belongs to another account.");
  return listIdentities(ctx);
}

/**
 * Lets nobody in any more by this provider.
 * @throws AppError NOT_FOUND none is linked · CONFLICT it is the last way in: there is neither a password nor another identity
 *   of a provider that is set up
 */
export async function unlinkIdentity(ctx: UserCtx, name: string): Promise<void> {
  const { issuer } = providerNamed(ctx, name);
  const me = ctx.actor.id;
  const own = and(eq(identities.userId, me), eq(identities.issuer, issuer));
  const others = issuersOf(ctx).filter((other) => other !== issuer);
  const hasAnother = sql`(EXISTS (SELECT 1 FROM users WHERE id = ${me} AND password_hash IS NOT NULL)
    OR EXISTS (SELECT 1 FROM identities other WHERE other.user_id = ${me} AND ${inList(sql`other.issuer`, others)}))`;
  const where = sql`u.id = ${me} AND changes() > 0`;
  const { removed } = await ctx.db.batch({
    removed: ctx.db.delete(identities).where(and(own, hasAnother)).returning({ issuer: identities.issuer }),
    ...(hasMail(ctx) ? { mailed: after("removed", queueMail(ctx, { template: "identity-removed", where })) } : {}),
  });
  sendMailSoon(ctx);
  if (removed.length > 0) return;
  const [left] = await ctx.db.select({ issuer: identities.issuer }).from(identities).where(own);
  if (!left) throw new AppError("NOT_FOUND", "No identity of this provider is linked.");
  throw new AppError("CONFLICT", "This is the last way in: set a password or link another provider first.");
}
