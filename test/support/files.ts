/** Files for tests: uploaded by form, read as a browser or a program reads them. */
import { FileAnswer, type FileInfo } from "../../src/features/files/contract.ts";
import { call, ORIGIN, type TestUser, worker } from "./api.ts";
import { form, sample } from "./samples.ts";

type Options = { folder?: string; visibility?: string; bytes?: Uint8Array<ArrayBuffer> };

export const folderName = () => `folder-${crypto.randomUUID().slice(0, 8)}`;

/** Asks for an upload by form; whatever comes of it. */
export const tryUpload = (by: TestUser, filename: string, { folder, visibility, bytes }: Options = {}) => {
  const content = bytes ?? sample(filename.split(".").at(-1)?.trim().toLowerCase() ?? "");
  return call("/files/upload", {
    method: "POST",
    token: by.token,
    body: form(
      ["file", content, filename],
      folder === undefined ? undefined : ["folder", folder],
      visibility === undefined ? undefined : ["visibility", visibility],
    ),
  });
};

export async function uploadNamed(by: TestUser, filename: string, options: Options = {}): Promise<FileInfo> {
  const { status, body } = await tryUpload(by, filename, options);
  if (status !== 201) throw new Error(`upload answered ${status}: ${JSON.stringify(body)}`);
  return FileAnswer.parse(body).data;
}

/** Reads an address, absolute or below our origin, with these headers. */
export async function read(address: string, headers: Record<string, string> = {}) {
  const response = await worker.fetch(new URL(address, ORIGIN), { headers });
  return { status: response.status, headers: response.headers, bytes: new Uint8Array(await response.arrayBuffer()) };
}

/** A GIF of this many bytes. */
export const gifOf = (length: number): Uint8Array<ArrayBuffer> => {
  const bytes = new Uint8Array(length);
  bytes.set(sample("gif"));
  return bytes;
};
