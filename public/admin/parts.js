/** What the sections show alike: a panel about one record, states, links, facts, short lists, columns and filters. */
import { logFault } from "/api.js";
import { h } from "/dom.js";
import { copyRow } from "/ui/copy.js";
import { askReason, openDialog } from "/ui/dialog.js";
import { field } from "/ui/form.js";
import { day, number } from "/ui/format.js";

const KINDS = {
  pending: "warn",
  resolved: "good",
  rejected: "bad",
  public: "good",
  verified: "good",
  banned: "bad",
  on: "good",
  off: "bad",
  delivered: "good",
  waiting: "warn",
  parked: "bad",
  live: "bad",
  open: "good",
  here: "good",
  busy: "good",
  moderator: "accent",
  admin: "accent",
};

/** A state in a word. */
export const badge = (text, kind = KINDS[text] ?? "") => h("span", { class: `badge ${kind}` }, text);

/** A badge each, after a space; what is no badge is left out. */
const spaced = (badges) => badges.flatMap((one) => (one ? [" ", one] : []));

const below = (text) => text && h("div", { class: "muted cut" }, text);

/** What names a record in a list: its name, cut where it is too long, its badges, and in a line below what else tells it. */
export const nameCell = (name, badges, more = null) => [h("b", { class: "cut" }, name), ...spaced(badges), below(more)];

/** The column of a person: their username, their badges (`badgesOf(person)`), and their full name. */
export const userColumn = (badgesOf = () => []) => ({
  label: "User",
  isName: true,
  cell: (person) => [
    h("b", {}, person.username ?? "somebody erased"),
    ...spaced(badgesOf(person)),
    below(person.fullName),
  ],
});

/** What a panel is about: a name with its badges. */
export const panelTitle = (name, ...badges) => h("p", { class: "title" }, h("b", {}, name), ...spaced(badges));

/** A link only if it is one that a page may follow. */
export const link = (url, text) =>
  /^(https?:\/\/|\/(?!\/))/i.test(url ?? "")
    ? h("a", { href: url, target: "_blank", rel: "noopener noreferrer" }, text)
    : h("span", {}, text);

/** In place of what could not be read: why, and a button that tries again. */
export function unreadable(error, again) {
  logFault(error);
  return [
    h("p", { class: "problem", role: "alert" }, error.message),
    h("p", {}, h("button", { type: "button", onclick: again }, "Try again")),
  ];
}

/** Opens a panel. @returns its dialog and its inside */
export function openPanel(title, ...content) {
  const body = h("div", { class: "panel form" }, ...content);
  return { dialog: openDialog(title, { kind: "wide" }, body), body };
}

/**
 * Opens a panel about one record. `draw(answer, panel)` makes what is in it; `panel` has `refresh()`, which reads and draws
 * anew, and `close()`.
 */
export async function openRecord(title, read, draw) {
  const { dialog, body } = openPanel(title, h("p", { class: "muted" }, "Loading…"));
  const panel = {
    close: () => dialog.close(),
    refresh: async () => {
      try {
        body.replaceChildren(...draw(await read(), panel).filter(Boolean));
      } catch (error) {
        body.replaceChildren(...unreadable(error, panel.refresh));
      }
    },
  };
  await panel.refresh();
}

/** Where a backend of the product is reached. */
export const addressField = (url = "") =>
  field(
    "Address",
    { name: "url", type: "url", required: true, maxlength: 2000, value: url, placeholder: "https://" },
    { hint: "https, in the public internet." },
  );

/** Shows a secret, which nobody can show again, with a button that copies it. */
export function showOnce(title, { label, secret, use }) {
  const row = copyRow(label, secret);
  const dialog = openDialog(
    title,
    {},
    h(
      "div",
      { class: "form" },
      h("p", { class: "note warn" }, "Copy it now: it is shown this once, and cannot be looked up again."),
      row.node,
      h("p", { class: "muted" }, use),
    ),
    h("div", { class: "buttons end" }, h("button", { type: "button", onclick: () => dialog.close() }, "Done")),
  );
  row.node.querySelector("button").focus();
}

/** Asks why, and does what hurts somebody for that reason. `send(reason)` is the call. @returns whether it was done */
export async function endWithReason(page, { send, ...question }) {
  const reason = await askReason({ ...question, isDangerous: true });
  return reason !== null && page.act(() => send(reason));
}

/** A number to see from afar, with others that belong to it. */
export const figure = (label, value, notes = []) =>
  h(
    "section",
    { class: "card figure" },
    h("h2", {}, label),
    h("p", { class: "big" }, number(value)),
    h(
      "p",
      { class: "muted notes" },
      ...notes.map(([what, count]) => h("span", {}, `${what} `, h("b", {}, number(count)))),
    ),
  );

/** Names and what they are. */
export const facts = (terms) =>
  h(
    "dl",
    { class: "facts" },
    ...Object.entries(terms).map(([term, value]) => h("div", {}, h("dt", {}, term), h("dd", {}, value))),
  );

/** A heading with a few lines; nothing where there are none. `all`: the address of the list that has the others. */
export const brief = (title, items, line, all) =>
  items.length > 0 &&
  h(
    "section",
    { class: "brief" },
    h("h3", {}, title),
    h("ul", {}, ...items.map((item) => h("li", {}, ...line(item)))),
    all && h("p", {}, h("a", { href: all }, "Show all")),
  );

/** Where all reports of one video, comment or user are. */
export const reportsOf = (type, id) => `#reports?status=all&target_type=${type}&target_id=${id}`;

export const reportLine = ({ status, targetType, targetId, reason }) => [
  badge(status),
  ` ${targetType} ${targetId}: `,
  reason,
];

export const SEARCH = { name: "search", label: "Search", type: "search" };

/** A list's filter: all records, or those of one of `options`, each [value, label]. */
export const filterBy = (name, label, ...options) => ({ name, label, options: [["all", "All"], ...options] });

export const byStatus = (...options) => filterBy("status", "Status", ...options);

export const VISIBILITY = filterBy("visibility", "Visibility", ["public", "Public"], ["private", "Private"]);

/** What a list is sorted by: one of `options`, each [value, label]; the first one unless somebody chooses. */
export const sortBy = (...options) => ({ name: "sort_by", label: "Sort by", options });

export const ORDER = {
  name: "order",
  label: "Order",
  options: [
    ["desc", "Descending"],
    ["asc", "Ascending"],
  ],
};

export const ID = { label: "Id", isNumber: true, cell: ({ id }) => [String(id)] };

export const OWNER = { label: "Owner", cell: ({ ownerUsername }) => [ownerUsername ?? "nobody"] };

export const MADE = { label: "Made", cell: ({ createdAt }) => [day(createdAt)] };
