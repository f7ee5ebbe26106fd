/**
 * A list of records with search, filters, pages, acts on one record and on chosen ones. On a phone each record is a card.
 * What is searched and which page is shown stand behind the `#` of the address (`#users?status=banned&page=2`), so that a
 * reload, a bookmark and "back" come to the same list.
 *
 *   const list = recordList({
 *     title: "Users",
 *     read: ({ page, limit, search }) => call("GET", withQuery("/admin/users", { page, limit, search })),
 *     items: "users",
 *     filters: [{ name: "search", label: "Search", type: "search" }],
 *     columns: [{ label: "User", isName: true, cell: (user) => [user.username] }],
 *     acts: (user) => [actButton("Ban", () => ban(user), "danger")],
 *   });
 *   main.replaceChildren(list.node);
 *   await list.load();
 */
import { logFault } from "/api.js";
import { h } from "/dom.js";
import { counted, number } from "/ui/format.js";

const LIMIT = 20;
const TYPING_PAUSE_MS = 300;

export const actButton = (text, onclick, kind = "") =>
  h("button", { type: "button", class: `small ${kind}`, onclick }, text);

/** Listens to a field: acts once somebody has stopped typing for a moment. */
export function onceTyped(act) {
  let timer;
  return (event) => {
    clearTimeout(timer);
    timer = setTimeout(() => act(event), TYPING_PAUSE_MS);
  };
}

/**
 * @typedef {{name: string, label: string, type?: "search" | "number", options?: [value: string, text: string][]}} Filter
 * @typedef {{label: string, isName?: boolean, isNumber?: boolean, cell: (record: any) => (Node | string | null)[]}} Column
 */

const firstOf = ({ options }) => options?.[0]?.[0] ?? "";

/** What an address asks for behind its `#`: the filters' values, and the page. */
function readAddress(filters, hash) {
  const asked = new URLSearchParams(hash.split("?")[1]);
  return {
    page: Math.max(1, Math.floor(Number(asked.get("page"))) || 1),
    filters: Object.fromEntries(filters.map((filter) => [filter.name, asked.get(filter.name) ?? firstOf(filter)])),
  };
}

const changedOf = (filters, values) => filters.filter((filter) => values[filter.name] !== firstOf(filter));

function writeAddress(filters, { page, filters: values }) {
  const asked = new URLSearchParams(changedOf(filters, values).map(({ name }) => [name, values[name]]));
  if (page > 1) asked.set("page", page);
  history.replaceState(null, "", [location.hash.split("?")[0], asked].filter(String).join("?"));
}

/**
 * @param {{
 *   title: string, items: string, read: (query: Record<string, any>) => Promise<any>,
 *   filters?: Filter[], columns: Column[], acts?: (record: any) => HTMLElement[],
 *   bulk?: {label: string, kind?: string, run: (ids: number[]) => Promise<boolean>},
 *   make?: HTMLElement, nothing?: string, isPart?: boolean,
 * }} what `read` answers `{<items>, pagination}`, or all of them without `pagination`; `bulk.run` whether it was done. `make`:
 *   a button beside the title · `nothing`: what stands there while there is no record · `isPart`: of a panel, so that the
 *   address is another list's
 */
export function recordList(what) {
  const { filters = [], columns, acts, bulk, nothing = "There is nothing here yet." } = what;
  const state = { ...readAddress(filters, what.isPart ? "" : location.hash), chosen: new Set() };
  let isFiltered = false;
  const body = h("tbody", {});
  const total = h("p", { class: "muted", role: "status" });
  const pager = h("nav", { class: "pager", "aria-label": "Pages of this list" });
  const bulkButton = bulk && h("button", { type: "button", class: bulk.kind, onclick: () => runBulk() });
  const headings = [
    bulk && h("td", {}),
    ...columns.map(({ label, isNumber }) => h("th", { scope: "col", class: isNumber && "number" }, label)),
    acts && h("td", {}),
  ].filter(Boolean);
  const node = h(
    "section",
    { class: "records" },
    h("div", { class: "head" }, h(what.isPart ? "h3" : "h1", {}, what.title), total, what.make),
    (filters.length > 0 || bulk) &&
      h(
        "form",
        { class: "filters", role: "search", onsubmit: (event) => event.preventDefault() },
        ...filters.map(filterControl),
        bulkButton,
      ),
    h("div", { class: "card scroll" }, h("table", {}, h("thead", {}, h("tr", {}, ...headings)), body)),
    pager,
  );
  drawBulk();
  tell("Loading…");

  function filterControl({ name, label, type = "search", options }) {
    const set = (next) => {
      state.filters[name] = next;
      state.page = 1;
      load();
    };
    const value = state.filters[name];
    if (options) {
      const choices = options.map(([of, text]) => h("option", { value: of, selected: of === value }, text));
      return h("label", {}, label, h("select", { name, onchange: ({ target }) => set(target.value) }, ...choices));
    }
    const typed = onceTyped(({ target }) => set(target.value.trim()));
    const limits = type === "number" ? { min: 1, placeholder: "any" } : { maxlength: 100 };
    return h("label", {}, label, h("input", { name, type, value, ...limits, oninput: typed }));
  }

  function row(record) {
    const tick = ({ target }) => {
      if (target.checked) state.chosen.add(record.id);
      else state.chosen.delete(record.id);
      drawBulk();
    };
    const box = { type: "checkbox", "aria-label": `Choose ${record.id}`, checked: state.chosen.has(record.id) };
    return h(
      "tr",
      {},
      bulk && h("td", { class: "choose" }, h("input", { ...box, onchange: tick })),
      ...columns.map(({ label, isName, isNumber, cell }) => {
        const kinds = [isName && "name", isNumber && "number"].filter(Boolean).join(" ");
        return h("td", { "data-label": label, class: kinds || null }, ...cell(record));
      }),
      acts && h("td", { class: "acts" }, h("div", {}, ...acts(record))),
    );
  }

  /** In place of records: a sentence. */
  function tell(text, ...more) {
    body.replaceChildren(h("tr", {}, h("td", { class: "nothing", colspan: headings.length }, text, ...more)));
  }

  function drawBulk() {
    if (!bulkButton) return;
    bulkButton.textContent = state.chosen.size > 0 ? `${bulk.label} (${state.chosen.size})` : bulk.label;
    bulkButton.disabled = state.chosen.size === 0;
  }

  async function runBulk() {
    if (await bulk.run([...state.chosen])) state.chosen.clear();
    drawBulk();
  }

  function drawPages({ page, pages, total: count }) {
    total.textContent = counted(count, "record");
    const go = (to, text) => {
      const isOff = to < 1 || to > pages || to === page;
      const turn = () => {
        state.page = to;
        load();
        node.scrollIntoView({ block: "start" });
      };
      return h("button", { type: "button", class: "small", disabled: isOff, onclick: turn }, text);
    };
    pager.hidden = pages <= 1;
    pager.replaceChildren(
      go(1, "« First"),
      go(page - 1, "‹ Previous"),
      h("span", {}, `Page ${number(page)} of ${number(Math.max(1, pages))}`),
      go(page + 1, "Next ›"),
      go(pages, "Last »"),
    );
  }

  let asked = 0;

  /** Reads the page that is asked for now. An answer that another question has overtaken is dropped. */
  async function load() {
    asked += 1;
    const mine = asked;
    node.setAttribute("aria-busy", "true");
    isFiltered = changedOf(filters, state.filters).length > 0;
    if (!what.isPart) writeAddress(filters, state);
    try {
      const answer = await what.read({ page: state.page, limit: LIMIT, ...state.filters });
      if (mine !== asked) return;
      if (answer[what.items].length === 0 && state.page > 1) {
        state.page = Math.max(1, answer.pagination?.pages ?? 1);
        await load();
        return;
      }
      draw(answer);
    } catch (error) {
      logFault(error);
      if (mine === asked) tell(`${error.message} `, actButton("Try again", load));
    } finally {
      if (mine === asked) node.removeAttribute("aria-busy");
    }
  }

  function draw({ [what.items]: records, pagination }) {
    const shown = new Set(records.map(({ id }) => id));
    state.chosen = new Set([...state.chosen].filter((id) => shown.has(id)));
    drawBulk();
    if (records.length > 0) body.replaceChildren(...records.map(row));
    else tell(isFiltered ? "Nothing matches." : nothing);
    drawPages(pagination ?? { page: 1, pages: 1, total: records.length });
  }

  return { node, load };
}
