/** Topic tokens: JWT with a key of their own, so that they are no token anywhere else. */
import { jwtVerify, SignJWT } from "jose";
import { z } from "zod";
import type { Config } from "../../../config.ts";
import { AppError } from "../../../errors.ts";
import { sha256 } from "../../../platform/digest.ts";

const ALGORITHM = "HS256";
const TYPE = "topic+jwt";

const Claims = z.object({
  topic: z.string(),
  sub: z
    .string()
    .regex(/^\d{1,15}$/)
    .optional(),
  exp: z.number().int(),
});

/** Derived, so that a rotation of the tokens' key is one of this, too. */
const keyOf = (secret: string): Promise<Uint8Array> => sha256(`roomcast topic token\n${secret}`);

type Grant = { topic: string; userId?: number | undefined; expiresAt: Date };

/** `userId` left out: for anybody who is signed in. `expiresAt`: whole seconds count. */
export async function signTopicToken({ JWT_SECRET_KEY }: Config, { topic, userId, expiresAt }: Grant): Promise<string> {
  const token = new SignJWT({ topic })
    .setProtectedHeader({ alg: ALGORITHM, typ: TYPE })
    .setExpirationTime(Math.floor(expiresAt.getTime() / 1000));
  if (userId !== undefined) token.setSubject(String(userId));
  return token.sign(await keyOf(JWT_SECRET_KEY));
}

/**
 * Until when this token lets the user into the topic, ms.
 * @throws AppError FORBIDDEN a bad or expired token, another topic's, or another user's
 */
export async function readTopicToken(
  { JWT_SECRET_KEY, JWT_SECRET_KEY_PREVIOUS }: Config,
  token: string,
  { topic, userId, now }: { topic: string; userId: number; now: Date },
): Promise<number> {
  for (const secret of [JWT_SECRET_KEY, JWT_SECRET_KEY_PREVIOUS]) {
    if (secret === "") continue;
    const options = { algorithms: [ALGORITHM], typ: TYPE, currentDate: now };
    const verified = await jwtVerify(token, await keyOf(secret), options).catch(() => null);
    const claims = Claims.safeParse(verified?.payload);
    if (!claims.success) continue;
    const { sub = String(userId), exp } = claims.data;
    if (claims.data.topic === topic && sub === String(userId)) return exp * 1000;
  }
  throw new AppError("FORBIDDEN", "This token does not let you into this topic.");
}
