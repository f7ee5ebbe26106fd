/** A file as its readers are told of it, and as it goes out. */
import type { Served } from "../../bytes/serve.ts";
import { type Ctx, publicOrigin } from "../../context.ts";
import type { FileRow } from "./access.ts";
import type { FileInfo, FilePath } from "./contract.ts";

/** How a file is asked for. */
export type Way = "view" | "download";

/** Where a file opens, for whoever may see it: its path. */
export const pathOf = (way: Way, { folder, file }: FilePath): string =>
  `/api/v1/files/${way}/${encodeURIComponent(folder)}/${encodeURIComponent(file)}`;

export const viewPath = ({ folder, name }: { folder: string; name: string }): string =>
  pathOf("view", { folder, file: name });

export const toInfo = (ctx: Ctx, row: FileRow): FileInfo => ({
  id: row.id,
  folder: row.folder,
  name: row.name,
  originalName: row.originalName,
  category: row.category,
  mimeType: row.mimeType,
  size: row.size,
  sha256: row.sha256,
  visibility: row.visibility,
  url: `${publicOrigin(ctx)}${viewPath(row)}`,
  createdAt: row.createdAt.toISOString(),
});

/** Public files may be kept for a while; private ones by nobody but their reader, who asks again each time. */
const cacheControl = ({ visibility }: FileRow): string =>
  visibility === "public" ? "public, max-age=300" : "private, no-cache";

/** A file as it goes out. */
export const servedAs = (row: FileRow, disposition: Served["disposition"]): Served => ({
  key: row.key,
  size: row.size,
  etag: row.sha256,
  mimeType: row.mimeType,
  filename: row.originalName,
  disposition,
  modifiedAt: row.createdAt,
  cacheControl: cacheControl(row),
});
