/** The service as scripts call it: the typed client, and uploads, whose forms no type describes. */
import { z } from "zod";
import { roomcast } from "../packages/client/src/index.ts";

export type Api = ReturnType<typeof roomcast>;

/** Somebody who is signed in. */
export type Account = { id: number; username: string; token: string; api: Api };

export const accountOf = (
  origin: string,
  { user, token }: { user: { id: number; username: string }; token: string },
) => ({
  id: user.id,
  username: user.username,
  token,
  api: roomcast(origin, { token }),
});

export type Upload = { name: string; type: string; bytes: Uint8Array<ArrayBuffer> | string };

/**
 * Posts a form with files to `/api/v1<path>`.
 * @param parts texts and files by the name of their field
 * @throws Error what the service refuses, with its words
 */
export async function postForm<T>(
  origin: string,
  path: string,
  token: string,
  parts: Record<string, string | Upload>,
  answer: z.ZodType<T>,
): Promise<T> {
  const form = new FormData();
  for (const [name, part] of Object.entries(parts)) {
    if (typeof part === "string") form.set(name, part);
    else form.set(name, new Blob([part.bytes], { type: part.type }), part.name);
  }
  const headers = { Authorization: `Bearer ${token}` };
  const response = await fetch(`${origin}/api/v1${path}`, { method: "POST", headers, body: form });
  if (!response.ok) throw new Error(`POST ${path} answered ${response.status}: ${await response.text()}`);
  return answer.parse(await response.json());
}

const Stored = z.object({ data: z.object({ id: z.string(), url: z.string() }) });

/** Stores a file of this account's. `path`: where it opens, below whatever address the service has. */
export async function uploadFile(
  origin: string,
  { token }: Account,
  file: Upload,
  fields: { folder: string; visibility: "public" | "private" },
): Promise<{ id: string; path: string }> {
  const { data } = await postForm(origin, "/files/upload", token, { ...fields, file }, Stored);
  return { id: data.id, path: new URL(data.url, origin).pathname };
}
