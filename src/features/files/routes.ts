/** Files over HTTP (SPEC 10). Uploads are streams: their forms are read by store-form.ts, not by the validator. */

import { Done, done } from "../../http/answers.ts";
import { Bytes, route, router } from "../../http/route.ts";
import { downloadFile, viewFile } from "./content.ts";
import {
  FileAnswer,
  FileList,
  FilePath,
  FileStatistics,
  FolderParam,
  FolderSize,
  PageQuery,
  Relocate,
  SignedUrl,
  SignUrl,
  UploadForm,
  UploadResults,
  UploadsForm,
} from "./contract.ts";
import { copyFile, moveFile } from "./relocate.ts";
import { deleteFile, listFolder, readFolderSize, readInfo, readStatistics } from "./service.ts";
import { signUrl } from "./signing.ts";
import { tusDescriptions } from "./tus/docs.ts";
import { uploadFile, uploadFiles } from "./upload.ts";

const FORM = "multipart/form-data";

export const fileRoutes = router()
  .openapi(
    route("post", "/files/upload", {
      who: "user",
      summary: "Upload a file",
      description: "The form's parts may come in any order.",
      streams: { [FORM]: UploadForm },
      answers: { 201: FileAnswer },
    }),
    async (c) => c.json({ success: true as const, data: await uploadFile(c.var.ctx, c.req.raw) }, 201),
  )
  .openapi(
    route("post", "/files/upload/multiple", {
      who: "user",
      summary: "Upload up to ten files, each for itself",
      description: "The form's parts may come in any order. 201 if any was stored, 200 if none.",
      streams: { [FORM]: UploadsForm },
      answers: { 201: UploadResults, 200: UploadResults },
    }),
    async (c) => {
      const results = await uploadFiles(c.var.ctx, c.req.raw);
      const uploaded = results.filter((result) => result.success).length;
      const data = { results, uploaded, failed: results.length - uploaded };
      return c.json({ success: uploaded > 0, data }, uploaded > 0 ? 201 : 200);
    },
  )
  .openapi(
    route("get", "/files/download/{folder}/{file}", {
      who: "anyone",
      summary: "Download",
      description: "Public files need no token; a signed URL (`expires`, `signature`) opens a private one.",
      params: FilePath,
      answers: { 200: Bytes, 206: Bytes },
    }),
    (c) => downloadFile(c.var.ctx, c.req.raw, c.req.valid("param")),
  )
  .openapi(
    route("get", "/files/view/{folder}/{file}", {
      who: "anyone",
      summary: "Show in the browser",
      description:
        "`w` (up to 160, 320, 640 or 1280): a thumbnail of an image, no wider than that, where that is set up.",
      params: FilePath,
      answers: { 200: Bytes, 206: Bytes },
    }),
    (c) => viewFile(c.var.ctx, c.req.raw, c.req.valid("param")),
  )
  .openapi(
    route("get", "/files/info/{folder}/{file}", {
      who: "anyone",
      summary: "About a file",
      params: FilePath,
      answers: { 200: FileAnswer },
    }),
    async (c) => c.json({ success: true as const, data: await readInfo(c.var.ctx, c.req.valid("param")) }, 200),
  )
  .openapi(
    route("get", "/files/list/{folder}", {
      who: "user",
      summary: "What I may see in a folder, newest first",
      params: FolderParam,
      query: PageQuery,
      answers: { 200: FileList },
    }),
    async (c) => {
      const data = await listFolder(c.var.ctx, c.req.valid("param").folder, c.req.valid("query"));
      return c.json({ success: true as const, data }, 200);
    },
  )
  .openapi(
    route("get", "/files/folder-size/{folder}", {
      who: "user",
      budget: "searches",
      summary: "How much I may see in a folder",
      params: FolderParam,
      answers: { 200: FolderSize },
    }),
    async (c) => {
      const data = await readFolderSize(c.var.ctx, c.req.valid("param").folder);
      return c.json({ success: true as const, data }, 200);
    },
  )
  .openapi(
    route("get", "/files/statistics", {
      who: "user",
      budget: "searches",
      summary: "My files in numbers; for an admin, all",
      answers: { 200: FileStatistics },
    }),
    async (c) => c.json({ success: true as const, data: await readStatistics(c.var.ctx) }, 200),
  )
  .openapi(
    route("post", "/files/move", {
      who: "user",
      summary: "Move or rename",
      body: Relocate,
      answers: { 200: FileAnswer },
    }),
    async (c) => c.json({ success: true as const, data: await moveFile(c.var.ctx, c.req.valid("json")) }, 200),
  )
  .openapi(
    route("post", "/files/copy", { who: "user", summary: "Copy", body: Relocate, answers: { 201: FileAnswer } }),
    async (c) => c.json({ success: true as const, data: await copyFile(c.var.ctx, c.req.valid("json")) }, 201),
  )
  .openapi(
    route("post", "/files/signed-url", {
      who: "user",
      summary: "A link that opens a file of mine for a while",
      body: SignUrl,
      answers: { 200: SignedUrl },
    }),
    async (c) => c.json({ success: true as const, data: await signUrl(c.var.ctx, c.req.valid("json")) }, 200),
  )
  .openapi(
    route("delete", "/files/{folder}/{file}", {
      who: "user",
      summary: "Delete",
      params: FilePath,
      answers: { 200: Done },
    }),
    async (c) => {
      await deleteFile(c.var.ctx, c.req.valid("param"));
      return c.json(done("File deleted"), 200);
    },
  );

// Answered by tus/routes.ts; here they are described.
for (const described of tusDescriptions) fileRoutes.openAPIRegistry.registerPath(described);
