/** Files (SPEC 10). */
import { z } from "zod";
import { PageQuery, Pagination } from "../../db/page.ts";
import { Binary } from "../../http/answers.ts";
import { ErrorAnswer, Timestamp } from "../../realtime/protocol.ts";
import { composed, fold } from "../../text.ts";

/** No pattern of the contract: few languages but JavaScript know Unicode's classes in one. */
const SAFE_NAME = /^[\p{L}\p{N}_][\p{L}\p{M}\p{N} ._-]*$/u;
const SAFE_NAME_IN_WORDS = "may have letters, digits, space, . _ - and begins with no dot";

/** A name that is safe as a segment of a path, on any system. */
const segment = (max: number) =>
  z
    .string()
    .max(max * 4)
    .overwrite(composed)
    .max(max)
    .refine((name) => SAFE_NAME.test(name), SAFE_NAME_IN_WORDS)
    .refine((name) => !/[. ]$/.test(name), "may not end with a dot or space");

/** `DELETE /files/tus/:id` is another path. */
export const Folder = segment(100)
  .refine((name) => fold(name) !== "tus", "is taken")
  .describe(`A folder's name ${SAFE_NAME_IN_WORDS}`);
export const FileName = segment(150).describe(`\`name\` of a file: ${SAFE_NAME_IN_WORDS}`);
export const FolderParam = z.object({ folder: Folder });
export const FilePath = z.object({ folder: Folder, file: FileName });
export type FilePath = z.output<typeof FilePath>;

export const Category = z.enum(["document", "image", "video", "audio", "archive"]);
export const Visibility = z.enum(["private", "public"]);

/** The fields of an upload's form beside the file, in any order. */
export const UploadFields = z.object({
  folder: Folder.default("general"),
  category: Category.optional().describe("Must be that of the extension, if given"),
  visibility: Visibility.optional().describe("Without: FILES_DEFAULT_VISIBILITY, which is private unless set"),
});
export type UploadFields = z.output<typeof UploadFields>;

/** The forms as they are sent; their files are read as streams. */
export const UploadForm = UploadFields.extend({ file: Binary });
export const UploadsForm = UploadFields.extend({ files: z.array(Binary).min(1).max(10) });

export const FileInfo = z
  .object({
    id: z.string(),
    folder: z.string(),
    name: z
      .string()
      .describe(
        "What `:file` takes in paths: the original name made safe, with six random characters if a file has or had that",
      ),
    originalName: z.string(),
    category: Category,
    mimeType: z.string(),
    size: z.number().int().describe("Bytes"),
    sha256: z.string().describe("Hex"),
    visibility: Visibility,
    url: z.string().describe("Where it opens, for whoever may see it: absolute, below PUBLIC_URL if that is set"),
    createdAt: Timestamp,
  })
  .meta({ id: "FileInfo" });
export type FileInfo = z.infer<typeof FileInfo>;

const answer = <T extends z.ZodType>(data: T) => z.object({ success: z.literal(true), data });

export const FileAnswer = answer(FileInfo);
export const UploadResult = z.union([
  z.object({ success: z.literal(true), originalName: z.string(), data: FileInfo }).meta({ id: "StoredUpload" }),
  z
    .object({ success: z.literal(false), originalName: z.string(), error: ErrorAnswer.shape.error })
    .meta({ id: "RefusedUpload" }),
]);
export type UploadResult = z.infer<typeof UploadResult>;
export const UploadResults = z.object({
  success: z.boolean().describe("Whether any was stored"),
  data: z.object({ results: z.array(UploadResult), uploaded: z.number().int(), failed: z.number().int() }),
});
export const FileList = answer(z.object({ folder: z.string(), files: z.array(FileInfo), pagination: Pagination }));

const Totals = z.object({ fileCount: z.number().int(), size: z.number().int().describe("Bytes") });
export const FolderSize = answer(Totals.extend({ folder: z.string() }));
export const FileStatistics = answer(
  z.object({
    totalFiles: z.number().int(),
    totalSize: z.number().int().describe("Bytes"),
    byCategory: z.record(Category, Totals),
    byFolder: z.array(Totals.extend({ folder: z.string() })),
    quota: z
      .object({
        usedBytes: z.number().int(),
        reservedBytes: z.number().int().describe("What uploads that are under way may come to"),
        maxBytes: z.number().int().nullable().describe("QUOTA_FILES_MEGABYTES; null: any amount"),
      })
      .describe("My own, also for an admin. An upload or copy beyond it is 413"),
  }),
);

export const Relocate = FilePath.extend({
  targetFolder: Folder,
  targetFile: FileName.optional().describe("A new name, with an extension of the same type"),
});
export type Relocate = z.output<typeof Relocate>;

export const SignUrl = FilePath.extend({
  expiresIn: z.number().int().min(1).max(604_800).default(3600).describe("Seconds, 1 to 604800"),
});
export type SignUrl = z.output<typeof SignUrl>;
export const SignedUrl = answer(z.object({ url: z.string(), expiresAt: Timestamp }));
export { PageQuery };
