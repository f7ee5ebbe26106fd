import { env } from "cloudflare:workers";
import { mintUser, ORIGIN, worker } from "./api.ts";
import { sample } from "./samples.ts";

export const ann = await mintUser("ann");
export const bob = await mintUser("bob");

export type Headers_ = Record<string, string>;
export const tus = (
  path: string,
  method: string,
  headers: Headers_ = {},
  body?: BodyInit,
  by: { token: string } = ann,
) =>
  worker.fetch(path.startsWith("/api") ? `${ORIGIN}${path}` : `${ORIGIN}/api/v1/files/tus${path}`, {
    method,
    headers: { Authorization: `Bearer ${by.token}`, "Tus-Resumable": "1.0.0", ...headers },
    ...(body === undefined ? {} : { body }),
  });

export const base64 = (text: string) => new TextEncoder().encode(text).toBase64();
export const metadata = (fields: Record<string, string>) =>
  Object.entries(fields)
    .map(([key, value]) => `${key} ${base64(value)}`)
    .join(",");

/** A GIF of this many bytes, no two stretches of it alike. */
export const gif = (length: number) => {
  const bytes = new Uint8Array(length).map((_, at) => (at * 31 + (at >> 8)) % 251);
  bytes.set(sample("gif").subarray(0, length));
  return bytes;
};
export const hash = async (bytes: BufferSource, name = "SHA-256") =>
  new Uint8Array(await crypto.subtle.digest(name, bytes));

export const create = async (
  length: number,
  fields: Record<string, string> = { filename: "a.gif", filetype: "image/gif" },
) => {
  const answer = await tus("", "POST", { "Upload-Length": String(length), "Upload-Metadata": metadata(fields) });
  return { status: answer.status, location: answer.headers.get("location") ?? "", headers: answer.headers };
};
export const patch = (
  location: string,
  offset: number,
  bytes: Uint8Array<ArrayBuffer> | ReadableStream,
  headers: Headers_ = {},
) =>
  tus(
    location,
    "PATCH",
    { "Upload-Offset": String(offset), "Content-Type": "application/offset+octet-stream", ...headers },
    bytes,
  );
export const offsetOf = async (location: string) => Number((await tus(location, "HEAD")).headers.get("upload-offset"));
export const rowOf = (location: string) =>
  env.DB.prepare("SELECT * FROM resumable_uploads WHERE id = ?")
    .bind(location.split("/").at(-1))
    .first<{ id: string; key: string; file_id: string | null; upload_id: string | null }>();

/** The file that an upload has become. */
export const fileOf = async (location: string) => {
  const row = await rowOf(location);
  const file = await env.DB.prepare("SELECT * FROM files WHERE id = ?")
    .bind(row?.file_id ?? "")
    .first<{
      id: string;
      key: string;
      sha256: string;
      size: number;
      folder: string;
      visibility: string;
      original_name: string;
    }>();
  if (!file) throw new Error("The upload has become no file");
  const object = await env.FILES.get(file.key);
  return { ...file, bytes: new Uint8Array((await object?.arrayBuffer()) ?? []) };
};
export const leftIn = async (key: string) =>
  (await env.FILES.list({ prefix: key })).objects.map((object) => object.key);
