/** Files as admins see and delete them (SPEC 4). One file's content opens for an admin at its `url`. */
import { z } from "zod";
import { Pagination } from "../../../db/page.ts";
import { Category, FileInfo, Visibility } from "../../files/contract.ts";
import { UserId } from "../../users/contract.ts";
import { ListQuery, Search } from "../base-contract.ts";

export const FileItem = FileInfo.extend({
  ownerId: UserId,
  ownerUsername: z.string().nullable(),
  isHidden: z.boolean().describe("An admin has hidden the video that shows it"),
}).meta({ id: "AdminFileItem" });
export type FileItem = z.infer<typeof FileItem>;

export const FileListQuery = ListQuery.extend({
  search: Search.describe(
    "Any part of the folder, of the name, of the name it was sent with, or of the owner's username",
  ),
  category: z.enum([...Category.options, "all"]).default("all"),
  visibility: z.enum([...Visibility.options, "all"]).default("all"),
  sort_by: z.enum(["created_at", "size"]).default("created_at").describe("By size, every file is read"),
});
export type FileListQuery = z.output<typeof FileListQuery>;

export const FileList = z.object({ files: z.array(FileItem), pagination: Pagination });

export const FileParam = z.object({ id: z.string().min(1).max(64).describe("`id` of the list") });
