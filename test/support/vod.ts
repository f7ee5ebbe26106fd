/** Recordings, as their owners and media servers send them. */
import { env } from "cloudflare:workers";
import { type Answer, call, mintUser, ORIGIN, type TestUser, worker } from "./api.ts";
import { mintStream, WEBHOOK_SECRET } from "./media.ts";

export const PROOF = `?secret=${WEBHOOK_SECRET}`;

/** A recording as nginx-rtmp writes it begins: FLV, version 1, audio and video. */
export function flv(size = 5000, fill = 1): Uint8Array {
  const bytes = new Uint8Array(size).fill(fill);
  bytes.set([0x46, 0x4c, 0x56, 0x01, 0x05, 0, 0, 0, 9, 0, 0, 0, 0]);
  return bytes;
}

export type Part = [name: string, value: string | { name: string; bytes: Uint8Array }];

/** Written by hand, so that the order of the parts is the test's. */
export function form(parts: Part[]): { body: Uint8Array; headers: Record<string, string> } {
  const chunks = parts.flatMap(([name, value]) => {
    const isText = typeof value === "string";
    const file = isText ? "" : `; filename="${value.name}"\r\nContent-Type: text/html`;
    const head = `--XX\r\nContent-Disposition: form-data; name="${name}"${file}\r\n\r\n`;
    return [new TextEncoder().encode(head), isText ? new TextEncoder().encode(value) : value.bytes, CRLF];
  });
  const all = [...chunks, new TextEncoder().encode("--XX--\r\n")];
  const body = new Uint8Array(all.reduce((length, chunk) => length + chunk.byteLength, 0));
  let at = 0;
  for (const chunk of all) {
    body.set(chunk, at);
    at += chunk.byteLength;
  }
  return { body, headers: { "Content-Type": "multipart/form-data; boundary=XX" } };
}
export const CRLF = new TextEncoder().encode("\r\n");

export const upload = (parts: Part[], token?: string, proof = ""): Promise<Answer<ReturnType<typeof JSON.parse>>> =>
  call(`/vod/upload${proof}`, { method: "POST", token, ...form(parts) });

export const file = (bytes = flv(), name = "rec-1.flv"): Part => ["file", { name, bytes }];

export const fetchContent = (id: number, headers: Record<string, string> = {}, method = "GET") =>
  worker.fetch(`${ORIGIN}/vod/${id}/content`, { method, headers });

export const objects = async () => (await env.FILES.list()).objects.map(({ key }) => key);

export async function studio() {
  const owner = await mintUser("caster");
  const stream = await mintStream(owner, { title: "My show" });
  const streamId: Part = ["streamId", String(stream.id)];
  return { owner, stream, streamId };
}

export async function uploaded(owner: TestUser, streamId: number, fill = 1) {
  const { status, body } = await upload([["streamId", String(streamId)], file(flv(5000, fill))], owner.token);
  if (status !== 201) throw new Error(`upload answered ${status}: ${JSON.stringify(body)}`);
  return body;
}
