/** A table with filters, pages and actions. On a phone each row becomes a card. */
import { api } from "./api.js";
import { el, number } from "./dom.js";

const TYPING_PAUSE_MS = 300;

/**
 * @param {{
 *   title: string, path: string, items: string, page: { fail: (error: Error) => void },
 *   filters: {name: string, label: string, type?: "search" | "number", options?: [value: string, text: string][]}[],
 *   columns: {label: string, cell: (row: any) => (Node | string)[]}[],
 *   actions?: (row: any) => HTMLElement[],
 *   bulk?: {label: string, run: (ids: number[]) => Promise<void>},
 * }} what
 */
export function table(what) {
  const state = { page: 1, filters: {}, chosen: new Set() };
  const body = el("tbody");
  const summary = el("p", { class: "muted", role: "status" });
  const pager = el("nav", { class: "pager", "aria-label": "Pages" });
  const bulkButton =
    what.bulk && el("button", { type: "button", class: "danger", disabled: true, onclick: () => runBulk() });
  const node = el(
    "section",
    { class: "list" },
    el("div", { class: "list-head" }, el("h1", { text: what.title }), summary),
    el(
      "form",
      { class: "filters", role: "search", onsubmit: (event) => event.preventDefault() },
      ...what.filters.map(control),
      bulkButton,
    ),
    el(
      "div",
      { class: "card scroll" },
      el(
        "table",
        {},
        el("thead", {}, el("tr", {}, ...headings().map((label) => el("th", { scope: "col", text: label })))),
        body,
      ),
    ),
    pager,
  );
  showBulk();

  function headings() {
    return [...(what.bulk ? [""] : []), ...what.columns.map((column) => column.label), ...(what.actions ? [""] : [])];
  }

  function control({ name, label, type, options }) {
    let timer;
    const set = (value) => {
      state.filters[name] = value;
      state.page = 1;
      load();
    };
    const input = options
      ? el(
          "select",
          { name, onchange: (event) => set(event.target.value) },
          ...options.map(([value, text]) => el("option", { value, text })),
        )
      : el("input", {
          name,
          type: type ?? "search",
          maxlength: 100,
          min: 1,
          placeholder: type === "number" ? "any" : "",
          oninput: (event) => {
            clearTimeout(timer);
            timer = setTimeout(() => set(event.target.value), TYPING_PAUSE_MS);
          },
        });
    if (options?.[0]) state.filters[name] = options[0][0];
    return el("label", {}, label, input);
  }

  function row(item) {
    const cells = what.columns.map(({ label, cell }) => el("td", { "data-label": label }, ...cell(item)));
    const box =
      what.bulk &&
      el(
        "td",
        { class: "choose" },
        el("input", {
          type: "checkbox",
          "aria-label": `Choose ${item.id}`,
          checked: state.chosen.has(item.id),
          onchange: (event) => {
            if (event.target.checked) state.chosen.add(item.id);
            else state.chosen.delete(item.id);
            showBulk();
          },
        }),
      );
    const actions = what.actions && el("td", { class: "actions" }, el("div", {}, ...what.actions(item)));
    return el("tr", {}, box, ...cells, actions);
  }

  function showBulk() {
    if (!bulkButton) return;
    bulkButton.textContent = state.chosen.size > 0 ? `${what.bulk.label} (${state.chosen.size})` : what.bulk.label;
    bulkButton.disabled = state.chosen.size === 0;
  }

  async function runBulk() {
    await what.bulk.run([...state.chosen]);
    state.chosen.clear();
    showBulk();
  }

  function showPages({ page, pages, total }) {
    summary.textContent = `${number(total)} in all`;
    const go = (to, label) =>
      el("button", {
        type: "button",
        text: label,
        disabled: to < 1 || to > pages || to === page,
        onclick: () => {
          state.page = to;
          load();
        },
      });
    pager.replaceChildren(
      go(1, "« First"),
      go(page - 1, "‹ Previous"),
      el("span", { text: `Page ${number(page)} of ${number(Math.max(1, pages))}` }),
      go(page + 1, "Next ›"),
      go(pages, "Last »"),
    );
  }

  let asked = 0;
  /** Fetches the page that is asked for now. An answer that another question has overtaken is dropped. */
  async function load() {
    asked += 1;
    const mine = asked;
    node.setAttribute("aria-busy", "true");
    try {
      const answer = await api(what.path, { query: { page: state.page, limit: 20, ...state.filters } });
      if (mine !== asked) return;
      const rows = answer[what.items];
      const isPastEnd = rows.length === 0 && state.page > 1;
      if (isPastEnd) {
        state.page = Math.max(1, answer.pagination.pages);
        await load();
        return;
      }
      const shown = new Set(rows.map((item) => item.id));
      for (const id of state.chosen) if (!shown.has(id)) state.chosen.delete(id);
      showBulk();
      const nothing = el(
        "tr",
        {},
        el("td", { class: "muted empty", colspan: headings().length, text: "Nothing matches." }),
      );
      body.replaceChildren(...(rows.length > 0 ? rows.map(row) : [nothing]));
      showPages(answer.pagination);
    } catch (error) {
      if (mine === asked) what.page.fail(error);
    } finally {
      if (mine === asked) node.removeAttribute("aria-busy");
    }
  }

  return { node, load };
}
