/**
 * The servers that help browsers find a way to each other. STUN is for everybody; TURN relays media at our cost, so its
 * credentials are short-lived, made for one user, and only for who may take part.
 */
import { z } from "zod";
import type { Ctx, UserCtx } from "../../context.ts";
import { isInRoomOf } from "../../hub/client.ts";
import { logFailure } from "../../platform/log.ts";
import { IceServer } from "./contract.ts";
import { openSession } from "./service.ts";

/**
 * STUN, and TURN for who may join `sessionId` or, without it, is in a session right now.
 * @throws AppError NOT_FOUND no such session · FORBIDDEN may not join it
 */
export async function readIceServers(ctx: UserCtx, { sessionId }: { sessionId?: string | undefined }) {
  const stun: IceServer[] = ctx.config.STUN_URLS.length > 0 ? [{ urls: ctx.config.STUN_URLS }] : [];
  if (sessionId !== undefined) await openSession(ctx, sessionId);
  if (!hasTurn(ctx) || (sessionId === undefined && !(await isInRoomOf(ctx, ctx.actor.id, "WEBRTC_ROOM")))) {
    return { iceServers: stun };
  }
  const [own, cloudflare] = await Promise.all([sharedSecretTurn(ctx), cloudflareTurn(ctx)]);
  return { iceServers: [...stun, ...own, ...cloudflare] };
}

const hasTurn = ({ config }: Ctx): boolean =>
  (config.TURN_URLS.length > 0 && config.TURN_SHARED_SECRET !== undefined) ||
  (config.CLOUDFLARE_TURN_KEY_ID !== undefined && config.CLOUDFLARE_TURN_API_TOKEN !== undefined);

/**
 * Credentials as coturn takes them with `use-auth-secret` (draft-uberti-behave-turn-rest-00): the name is when they end
 * and whose they are, the password its HMAC-SHA1. The server verifies both without asking us.
 */
async function sharedSecretTurn({ config, now, actor }: UserCtx): Promise<IceServer[]> {
  if (config.TURN_URLS.length === 0 || config.TURN_SHARED_SECRET === undefined) return [];
  const username = `${Math.floor(now.getTime() / 1000) + config.TURN_TTL_SECONDS}:${actor.id}`;
  const encode = (text: string) => new TextEncoder().encode(text);
  const algorithm = { name: "HMAC", hash: "SHA-1" };
  const key = await crypto.subtle.importKey("raw", encode(config.TURN_SHARED_SECRET), algorithm, false, ["sign"]);
  const signature = new Uint8Array(await crypto.subtle.sign("HMAC", key, encode(username)));
  return [{ urls: config.TURN_URLS, username, credential: signature.toBase64() }];
}

/** A call can be made without TURN more often than not, so a slow answer is not waited for. */
const CLOUDFLARE_TIMEOUT_MS = 3000;
/** Cloudflare's longest life of a credential, seconds (Realtime docs, "Generate credentials"). */
const CLOUDFLARE_TTL_MAX_SECONDS = 48 * 3600;

const Urls = z.union([z.string().transform((url) => [url]), z.array(z.string())]);
const CloudflareServer = IceServer.extend({ urls: Urls });
/** The answer is a list now and was a single server before. */
const CloudflareAnswer = z.object({
  iceServers: z.union([z.array(CloudflareServer), CloudflareServer.transform((server) => [server])]),
});

/** Credentials from Cloudflare's TURN service. Failing is logged, and the call goes on with STUN. */
async function cloudflareTurn(ctx: UserCtx): Promise<IceServer[]> {
  const { CLOUDFLARE_TURN_KEY_ID: keyId, CLOUDFLARE_TURN_API_TOKEN: token, TURN_TTL_SECONDS } = ctx.config;
  if (keyId === undefined || token === undefined) return [];
  const url = `https://rtc.live.cloudflare.com/v1/turn/keys/${encodeURIComponent(keyId)}/credentials/generate-ice-servers`;
  try {
    const response = await fetch(url, {
      method: "POST",
      headers: { Authorization: `Bearer ${token}`, "Content-Type": "application/json" },
      body: JSON.stringify({ ttl: Math.min(TURN_TTL_SECONDS, CLOUDFLARE_TTL_MAX_SECONDS) }),
      signal: AbortSignal.timeout(CLOUDFLARE_TIMEOUT_MS),
    });
    if (!response.ok) {
      await response.body?.cancel();
      throw new Error(`Cloudflare TURN answered ${response.status}`);
    }
    const { iceServers } = CloudflareAnswer.parse(await response.json());
    return iceServers.flatMap((server) => withoutPort53(server));
  } catch (error) {
    logFailure(ctx, "webrtc.turn", error);
    return [];
  }
}

/** Browsers block port 53 and wait for it in vain (Realtime docs). */
function withoutPort53(server: IceServer): IceServer[] {
  const urls = server.urls.filter((url) => !/:53(\?|$)/.test(url));
  return urls.length > 0 ? [{ ...server, urls }] : [];
}
