/** What a media server does: makes streams to publish to, and calls the webhook as the captured servers call it. */
import { type Answer, call, type TestUser } from "./api.ts";

export const WEBHOOK_SECRET = "test-webhook-secret";
export const HOOK = `/webhook/stream-event?secret=${WEBHOOK_SECRET}`;

export type TestStream = { id: number; streamKey: string };

export async function mintStream(owner: TestUser, input: object = {}): Promise<TestStream> {
  const { status, body } = await call("/streams", { method: "POST", token: owner.token, body: input });
  if (status !== 201) throw new Error(`POST /streams answered ${status}: ${JSON.stringify(body)}`);
  return body;
}

/** nginx-rtmp's common block, in its order; `clientid` names the connection. */
export const nginxBody = (call: string, name: string, clientid: number, rest = ""): string =>
  `app=live&flashver=FMLE/3.0%20(compatible%3B%20Lavf59.27&swfurl=&tcurl=rtmp://127.0.0.1:19350/live&pageurl=&addr=127.0.0.1&clientid=${clientid}&call=${call}&name=${name}${rest}`;

export const hook = (body: string, type = "application/x-www-form-urlencoded", path = HOOK): Promise<Answer> =>
  call(path, { method: "POST", body, headers: { "Content-Type": type } });

export const nginx = (name: string, key: string, clientid: number, rest = ""): Promise<Answer> =>
  hook(nginxBody(name, key, clientid, rest));

export const hookJson = (body: object, type = "application/json", path = HOOK): Promise<Answer> =>
  hook(JSON.stringify(body), type, path);

/** `X-Signature` over the raw body (MEDIA.md 3.1). */
export async function sign(body: string, secret = WEBHOOK_SECRET, at = Math.floor(Date.now() / 1000)): Promise<string> {
  const bytes = (text: string) => new TextEncoder().encode(text);
  const key = await crypto.subtle.importKey("raw", bytes(secret), { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
  const mac = new Uint8Array(await crypto.subtle.sign("HMAC", key, bytes(`${at}.${body}`)));
  return `t=${at},v1=${mac.toHex()}`;
}

export async function statusOf(stream: TestStream): Promise<{ status: string; startTime: string; endTime: string }> {
  return (await call(`/streams/${stream.id}`)).body;
}
