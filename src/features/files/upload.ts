/** Uploads by form: one file, or up to ten of which each succeeds or fails by itself. */
import { kindOf } from "../../bytes/kinds.ts";
import { discard } from "../../bytes/store.ts";
import { type Outcome, type Received, type Source, storeForm } from "../../bytes/store-form.ts";
import type { UserCtx } from "../../context.ts";
import { errorBody, toAppError } from "../../errors.ts";
import { badField } from "../../input.ts";
import { type FileInfo, UploadFields, type UploadResult } from "./contract.ts";
import { makeFile } from "./keep.ts";

const MAX_FILES = 10;

/** @throws AppError INVALID_REQUEST · UNSUPPORTED_MEDIA_TYPE · PAYLOAD_TOO_LARGE; then nothing is stored */
export async function uploadFile(ctx: UserCtx, source: Source): Promise<FileInfo> {
  const { fields, outcomes } = await storeForm(ctx, source, UploadFields, { files: { file: undefined }, maxFiles: 1 });
  const [outcome] = outcomes;
  if (!outcome || "error" in outcome) throw badField("file", "is needed");
  return keep(ctx, outcome.received, fields);
}

/** @throws AppError INVALID_REQUEST the form itself is wrong; then nothing is stored */
export async function uploadFiles(ctx: UserCtx, source: Source): Promise<UploadResult[]> {
  const { fields, outcomes } = await storeForm(ctx, source, UploadFields, {
    files: { files: undefined },
    maxFiles: MAX_FILES,
    isEachByItself: true,
  });
  if (outcomes.length === 0) throw badField("files", "is needed");
  const results: UploadResult[] = [];
  for (const outcome of outcomes) results.push(await keepByItself(ctx, outcome, fields));
  return results;
}

async function keep(ctx: UserCtx, received: Received, fields: UploadFields): Promise<FileInfo> {
  try {
    // The category may have come after the file.
    kindOf(received.originalName, fields.category);
    return await makeFile(ctx, received, fields);
  } catch (error) {
    await discard(ctx, received.key);
    throw error;
  }
}

async function keepByItself(ctx: UserCtx, outcome: Outcome, fields: UploadFields): Promise<UploadResult> {
  const { originalName } = outcome;
  try {
    if ("error" in outcome) throw outcome.error;
    return { success: true, originalName, data: await keep(ctx, outcome.received, fields) };
  } catch (error) {
    return { success: false, originalName, error: errorBody(toAppError(error), ctx.now) };
  }
}
