/**
 * The cookie by which an `<img>` or `<a download>` of a signed-in page reads files: an element sends no header. It is good
 * for that alone: it has a key of its own, so that it is no token anywhere, and ends with the session it was given to.
 */
import { jwtVerify, SignJWT } from "jose";
import { z } from "zod";
import { type Config, isAllowedOrigin } from "../config.ts";
import type { Ctx, UserCtx } from "../context.ts";
import { AppError } from "../errors.ts";
import { sha256 } from "../platform/digest.ts";
import { signIn } from "./authenticate.ts";
import { cookieIn } from "./cookies.ts";
import type { OwnToken } from "./tokens.ts";

const NAME = "__Secure-roomcast-files";
/** Lax: pages of other sites get it for navigations alone, not for what they embed. */
const ATTRIBUTES = "Path=/api/v1/files; HttpOnly; Secure; SameSite=Lax";
const ALGORITHM = "HS256";
const TYPE = "file-read+jwt";

const Claims = z.object({
  sub: z.string().regex(/^\d{1,15}$/),
  sid: z.string().min(1).max(256),
  exp: z.number().int(),
});

/** Derived, so that a rotation of the tokens' key is one of this, too. */
const keyOf = ({ JWT_SECRET_KEY }: Config): Promise<Uint8Array> => sha256(`roomcast file cookie\n${JWT_SECRET_KEY}`);

/** The header that gives a session the cookie, for as long as its token lasts. */
export async function fileCookie({ config, now }: Ctx, { userId, sessionId, expiresAt }: OwnToken): Promise<string> {
  const value = await new SignJWT({ sid: sessionId })
    .setProtectedHeader({ alg: ALGORITHM, typ: TYPE })
    .setSubject(String(userId))
    .setExpirationTime(Math.floor(expiresAt / 1000))
    .sign(await keyOf(config));
  const seconds = Math.max(0, Math.floor((expiresAt - now.getTime()) / 1000));
  return `${NAME}=${value}; Max-Age=${seconds}; ${ATTRIBUTES}`;
}

/** The header that takes it back. */
export const noFileCookie = `${NAME}=; Max-Age=0; ${ATTRIBUTES}`;

/**
 * Who asks for a file by the cookie; null if there is no good one, its session has ended, or its user is banned: then the
 * caller is nobody.
 */
export async function readerByCookie(ctx: Ctx, request: Request): Promise<UserCtx | null> {
  const value = cookieIn(request.headers.get("cookie"), NAME);
  if (value === undefined || !isOwnPage(ctx, request.headers)) return null;
  try {
    const options = { algorithms: [ALGORITHM], typ: TYPE, currentDate: ctx.now };
    const { payload } = await jwtVerify(value, await keyOf(ctx.config), options).catch((cause) => {
      throw new AppError("UNAUTHORIZED", undefined, { cause });
    });
    const { sub, sid, exp } = Claims.parse(payload);
    return await signIn(ctx, { userId: Number(sub), sessionId: sid, expiresAt: exp * 1000 });
  } catch (error) {
    if (error instanceof AppError && (error.code === "UNAUTHORIZED" || error.code === "FORBIDDEN")) return null;
    throw error;
  }
}

/**
 * Not what another site embeds, nor what a page may not read that is of our site but not ours: browsers that know SameSite
 * send it in neither case, or let nothing be read.
 */
function isOwnPage({ config, origin: ownOrigin }: Ctx, headers: Headers): boolean {
  const isEmbedded = headers.get("sec-fetch-site") === "cross-site" && headers.get("sec-fetch-mode") !== "navigate";
  const origin = headers.get("origin");
  return !isEmbedded && (origin === null || isAllowedOrigin(config, origin, ownOrigin));
}
