/** Everybody's files: find one, and delete it with its copies. */
import { call, withQuery } from "/api.js";
import { bytes, day } from "/ui/format.js";
import { actButton, recordList } from "/ui/table.js";
import { badge, endWithReason, filterBy, link, nameCell, ORDER, OWNER, SEARCH, sortBy, VISIBILITY } from "./parts.js";

const CATEGORIES = ["document", "image", "video", "audio", "archive"];

export function files(page) {
  const remove = (file) =>
    endWithReason(page, {
      title: `Delete "${file.name}"?`,
      warning: "Its copies go with it, whosever they are. This cannot be undone.",
      confirm: "Delete",
      send: (reason) => call("DELETE", `/admin/files/${encodeURIComponent(file.id)}`, { reason }),
    });

  return recordList({
    title: "Files",
    nothing: "There is no file yet.",
    read: (query) => call("GET", withQuery("/admin/files", query)),
    items: "files",
    filters: [
      SEARCH,
      filterBy("category", "Kind", ...CATEGORIES.map((name) => [name, name])),
      VISIBILITY,
      sortBy(["created_at", "Sent"], ["size", "Size"]),
      ORDER,
    ],
    columns: [
      {
        label: "File",
        isName: true,
        cell: (file) =>
          nameCell(
            link(file.url, file.name),
            [badge(file.visibility), file.isHidden && badge("hidden", "bad")],
            file.name === file.originalName ? `in ${file.folder}` : `${file.originalName}, in ${file.folder}`,
          ),
      },
      { label: "Kind", cell: ({ category }) => [category] },
      { label: "Size", isNumber: true, cell: ({ size }) => [bytes(size)] },
      OWNER,
      { label: "Sent", cell: ({ createdAt }) => [day(createdAt)] },
    ],
    acts: (file) => [actButton("Delete…", () => remove(file), "danger")],
  });
}
