/** What a media server does: makes streams to publish to, and calls the webhook as the captured servers call it. */
import { env } from "cloudflare:workers";
import { type Answer, call, mintUser, type TestUser } from "./api.ts";

export const WEBHOOK_SECRET = "test-webhook-secret";
export const HOOK = `/webhook/stream-event?secret=${WEBHOOK_SECRET}`;

export const FORM = "application/x-www-form-urlencoded";

/** The two answers that nginx-rtmp, SRS and node-media-server all take (MEDIA.md 3.2). */
export const ACCEPTED = { status: 200, body: { code: 0 } };
export const REFUSED = { status: 403, body: { code: 1 } };

export type TestStream = { id: number; streamKey: string };

export async function mintStream(owner: TestUser, input: object = {}): Promise<TestStream> {
  const { status, body } = await call("/streams", { method: "POST", token: owner.token, body: input });
  if (status !== 201) throw new Error(`POST /streams answered ${status}: ${JSON.stringify(body)}`);
  return body;
}

/** A stream of a fresh user's. */
export const mint = async (): Promise<TestStream> => mintStream(await mintUser("caster"));

/** nginx-rtmp's common block, in its order; `clientid` names the connection. */
export const nginxBody = (call: string, name: string, clientid: number, rest = ""): string =>
  `app=live&flashver=FMLE/3.0%20(compatible%3B%20Lavf59.27&swfurl=&tcurl=rtmp://127.0.0.1:19350/live&pageurl=&addr=127.0.0.1&clientid=${clientid}&call=${call}&name=${name}${rest}`;

export const hook = (body: string, type = FORM, path = HOOK): Promise<Answer> =>
  call(path, { method: "POST", body, headers: { "Content-Type": type } });

export const nginx = (name: string, key: string, clientid: number, rest = ""): Promise<Answer> =>
  hook(nginxBody(name, key, clientid, rest));

export const hookJson = (body: object, type = "application/json", path = HOOK): Promise<Answer> =>
  hook(JSON.stringify(body), type, path);

async function hmac(hash: "SHA-1" | "SHA-256", secret: string, text: string): Promise<Uint8Array> {
  const bytes = (value: string) => new TextEncoder().encode(value);
  const key = await crypto.subtle.importKey("raw", bytes(secret), { name: "HMAC", hash }, false, ["sign"]);
  return new Uint8Array(await crypto.subtle.sign("HMAC", key, bytes(text)));
}

/** `X-Signature` over the raw body (MEDIA.md 3.1). */
export async function sign(body: string, secret = WEBHOOK_SECRET, at = Math.floor(Date.now() / 1000)): Promise<string> {
  return `t=${at},v1=${(await hmac("SHA-256", secret, `${at}.${body}`)).toHex()}`;
}

/** `X-OME-Signature` over the raw body (MEDIA.md 2). */
export const signAsOme = async (body: string, secret = WEBHOOK_SECRET): Promise<string> =>
  (await hmac("SHA-1", secret, body)).toBase64({ alphabet: "base64url", omitPadding: true });

export async function statusOf(stream: TestStream): Promise<{ status: string; startTime: string; endTime: string }> {
  return (await call(`/streams/${stream.id}`)).body;
}

/** What the log says of a stream, oldest first: `publish: live`. */
export async function eventsOf(stream: TestStream): Promise<string[]> {
  const { results } = await env.DB.prepare("SELECT event, outcome FROM stream_events WHERE stream_id = ? ORDER BY id")
    .bind(stream.id)
    .all<{ event: string; outcome: string }>();
  return results.map(({ event, outcome }) => `${event}: ${outcome}`);
}
