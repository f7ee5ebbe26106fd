/**
 * Recordings on their way in: from a stream's owner, or from a media server with its proof. The same recording again is
 * the one that is there already.
 */
import { and, eq, type SQL, sql } from "drizzle-orm";
import { v7 as uuid } from "uuid";
import { formParts } from "../../bytes/form.ts";
import { type Chunks, HEAD_BYTES, PART_BYTES } from "../../bytes/parts.ts";
import { discard, ifPending, storeObject } from "../../bytes/store.ts";
import type { Ctx } from "../../context.ts";
import { isInGoodStanding } from "../../db/standing.ts";
import { streams, uploads, vods } from "../../db/tables.ts";
import { AppError } from "../../errors.ts";
import { badField, readInput } from "../../input.ts";
import { fingerprint } from "../../platform/digest.ts";
import { respell } from "../../spelling.ts";
import { type Vod, type VodAbout, type VodByPath, VodForm } from "./contract.ts";
import { fileNameOf, recordingType, requireSize } from "./recordings.ts";
import { toVod } from "./service.ts";

export type Uploaded = { vod: Vod; isNew: boolean };

type Stream = { id: number; userId: number; title: string };
type Recording = { key: string; fileName: string; digest: string; mimeType: string; size: number };

/**
 * Whose stream this is, for those who may add to it.
 * @throws AppError NOT_FOUND · FORBIDDEN somebody else's, or its owner is banned or has closed the account
 */
async function requireStream(ctx: Ctx, { streamId, streamKey }: VodAbout): Promise<Stream> {
  const where = and(
    streamId === undefined ? undefined : eq(streams.id, streamId),
    streamKey === undefined ? undefined : eq(streams.keyHash, await fingerprint(streamKey)),
  );
  const [stream] = await ctx.db
    .select({
      id: streams.id,
      userId: streams.userId,
      title: streams.title,
      mayPublish: isInGoodStanding(streams.userId),
    })
    .from(streams)
    .where(where);
  if (!stream) throw new AppError("NOT_FOUND", "There is no such stream.");
  const isOwner = ctx.actor.kind === "user" && ctx.actor.id === stream.userId;
  if (ctx.actor.kind !== "mediaServer" && !isOwner) throw new AppError("FORBIDDEN");
  if (!stream.mayPublish) throw new AppError("FORBIDDEN", "The stream's owner may publish nothing.");
  return stream;
}

/** Room for delimiters, headers and fields beside the file. */
const FORM_OVERHEAD_BYTES = 1024 * 1024;

/** What is taken in before it is known whose stream it is: as much as is held in memory before R2 gets any. */
const UNNAMED_MAX_BYTES = PART_BYTES;

/**
 * Streams a form's `file` into the bucket. Its other parts may come before or after; whose stream it is must come before
 * a file of more than 8 MiB.
 * @throws AppError INVALID_REQUEST, NOT_FOUND, FORBIDDEN, PAYLOAD_TOO_LARGE, UNSUPPORTED_MEDIA_TYPE; then nothing is left
 */
export function uploadRecording(ctx: Ctx, request: Request): Promise<Uploaded> {
  const work = upload(ctx, request);
  // A client that goes away ends the call; what is waited for goes on, so that the recording gets its row or is cleaned up.
  ctx.later(work.catch(() => {}));
  return work;
}

const maxBytes = ({ config }: Ctx): number => config.VOD_MAX_MEGABYTES * 1024 * 1024;

async function upload(ctx: Ctx, request: Request): Promise<Uploaded> {
  if (Number(request.headers.get("content-length") ?? "0") > maxBytes(ctx) + FORM_OVERHEAD_BYTES) {
    throw new AppError("PAYLOAD_TOO_LARGE", `A recording may have ${maxBytes(ctx)} bytes.`);
  }
  const key = `vod/${uuid()}`;
  const fields = new Map<string, string>();
  let recording: Recording | undefined;
  try {
    for await (const part of formParts(request)) {
      if (part.kind === "field") {
        // What a script leaves empty is as none.
        if (part.value !== "" && !fields.has(part.name)) fields.set(part.name, part.value);
        continue;
      }
      if (part.name !== "file" || recording) throw badField(part.name, "is not expected");
      const isNamed = namesStream(fields);
      // A wrong stream is refused before its recording is taken in.
      if (isNamed) await requireStream(ctx, about(fields));
      recording = await receive(ctx, key, part.filename, isNamed ? part.bytes : unnamed(part.bytes, request));
    }
    if (!recording) throw badField("file", "is missing");
    const details = about(fields);
    return await publish(ctx, await requireStream(ctx, details), details, recording);
  } catch (error) {
    if (recording) await discard(ctx, key);
    throw error;
  }
}

const about = (fields: Map<string, string>): VodAbout => readInput(VodForm, Object.fromEntries(fields));

function namesStream(fields: Map<string, string>): boolean {
  const { value } = respell(VodForm, Object.fromEntries(fields));
  return typeof value === "object" && value !== null && ("streamId" in value || "streamKey" in value);
}

/** @throws AppError INVALID_REQUEST more bytes than are taken for a stream that nobody has named yet */
async function* unnamed(bytes: Chunks, { headers }: Request): AsyncGenerator<Uint8Array, void> {
  const tooLate = badField("streamId", `or streamKey must come before a file of more than ${UNNAMED_MAX_BYTES} bytes`);
  if (Number(headers.get("content-length") ?? "0") > UNNAMED_MAX_BYTES + FORM_OVERHEAD_BYTES) throw tooLate;
  let seen = 0;
  for await (const chunk of bytes) {
    seen += chunk.byteLength;
    if (seen > UNNAMED_MAX_BYTES) throw tooLate;
    yield chunk;
  }
}

async function receive(ctx: Ctx, key: string, name: string, bytes: Chunks): Promise<Recording> {
  let mimeType = "";
  const stored = await storeObject(ctx, key, bytes, {
    maxBytes: maxBytes(ctx),
    inspect: async (head) => {
      mimeType = await recordingType(head);
    },
  });
  return { key, fileName: fileNameOf(name), digest: `sha256:${stored.sha256}`, mimeType, size: stored.size };
}

/** Makes the row, unless its owner was banned while it came in; or finds the one that this recording has already. */
async function publish(ctx: Ctx, stream: Stream, details: VodAbout, recording: Recording): Promise<Uploaded> {
  const { key } = recording;
  const isOurs = sql`EXISTS (SELECT 1 FROM ${vods} WHERE ${vods.objectKey} = ${key})`;
  const { made, earlier } = await ctx.db.batch({
    made: insertVod(ctx, stream, details, recording, ifPending(key)),
    settled: ctx.db.delete(uploads).where(and(eq(uploads.key, key), isOurs)),
    earlier: sameRecording(ctx, stream, recording),
  });
  // What was sent again is not kept again.
  if (!made[0]) await discard(ctx, key);
  return answer(made[0], earlier[0]);
}

const insertVod = (ctx: Ctx, stream: Stream, details: VodAbout, recording: Recording, condition: SQL) =>
  ctx.db
    .insert(vods)
    .select(
      sql`SELECT NULL, s.id, s.user_id, ${details.title ?? stream.title}, ${details.thumbnail ?? null},
        ${details.duration ?? null}, ${recording.fileName}, ${recording.digest}, ${recording.key},
        ${recording.mimeType}, ${recording.size}, 0, ${ctx.now.getTime()}
        FROM streams s WHERE s.id = ${stream.id} AND ${isInGoodStanding(sql`s.user_id`)} AND ${condition}`,
    )
    .onConflictDoNothing()
    .returning();

const sameRecording = (ctx: Ctx, stream: Stream, { fileName, digest }: Recording) =>
  ctx.db
    .select()
    .from(vods)
    .where(and(eq(vods.streamId, stream.id), eq(vods.fileName, fileName), eq(vods.digest, digest)));

/** @throws AppError CONFLICT the object is another stream's recording, or the stream went away meanwhile */
function answer(made: typeof vods.$inferSelect | undefined, earlier: typeof vods.$inferSelect | undefined): Uploaded {
  const row = made ?? earlier;
  if (!row) throw new AppError("CONFLICT");
  return { vod: toVod(row), isNew: made !== undefined };
}

/**
 * Takes an object that a media server has put into the bucket itself. Its owner may do so below a folder of the stream's
 * own, since any other could be another stream's.
 * @throws AppError FORBIDDEN not under the prefix · NOT_FOUND no such stream or object · INVALID_REQUEST ·
 *   UNSUPPORTED_MEDIA_TYPE · CONFLICT
 */
export async function registerRecording(ctx: Ctx, { path, ...details }: VodByPath): Promise<Uploaded> {
  const stream = await requireStream(ctx, details);
  const prefix = ctx.config.VOD_PREFIX;
  const allowed = ctx.actor.kind === "mediaServer" ? prefix : `${prefix}${stream.id}/`;
  // An object's key is no path, but whoever reads it as one must not be led out of the prefix.
  const isPlain = path.split(/[/\\]/).every((step) => step !== "" && step !== "." && step !== "..");
  if (!path.startsWith(allowed) || !isPlain) throw new AppError("FORBIDDEN", `Recordings lie under ${allowed}.`);
  const found = await ctx.env.FILES.head(path);
  if (!found) throw noObject();
  // Before its beginning is read: R2 has no range of an empty object to give.
  requireSize(found.size);
  const object = await ctx.env.FILES.get(path, { range: { offset: 0, length: HEAD_BYTES } });
  if (!object) throw noObject();
  const mimeType = await recordingType(new Uint8Array(await object.arrayBuffer()));
  const recording = {
    key: path,
    fileName: fileNameOf(path),
    digest: `etag:${object.etag}`,
    mimeType,
    size: object.size,
  };
  const { made, earlier } = await ctx.db.batch({
    made: insertVod(ctx, stream, details, recording, sql`1`),
    earlier: sameRecording(ctx, stream, recording),
  });
  return answer(made[0], earlier[0]);
}

const noObject = (): AppError => new AppError("NOT_FOUND", "There is no such object.");
