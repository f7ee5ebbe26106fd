/** Who is asked before a message is accepted: one address at most. */
import { call } from "/api.js";
import { h } from "/dom.js";
import { confirmed, openForm } from "/ui/dialog.js";
import { field } from "/ui/form.js";
import { number, time } from "/ui/format.js";
import { addressField, facts, showOnce, unreadable } from "./parts.js";

const PATH = "/admin/hooks/before-message";
const ON_FAILURE = [
  ["refuse", "Refuse the message"],
  ["allow", "Let the message through"],
];

export function beforeMessage(page) {
  const body = h("div", { class: "form" }, h("p", { class: "muted" }, "Loading…"));
  const node = h(
    "section",
    { class: "card hook" },
    h("h2", {}, "Before a message"),
    h(
      "p",
      { class: "muted" },
      "One address of your backend can have the last word: it lets a message of a room, course, stream or person through, refuses it, or changes its text.",
    ),
    body,
  );

  function set(hook) {
    let made;
    openForm(
      hook ? "Change the hook" : "Set up the hook",
      {
        label: hook ? "Change" : "Set up",
        send: async ({ url, timeoutMs, onFailure }) => {
          made = await call("POST", PATH, { url, timeoutMs: Number(timeoutMs), onFailure });
          load();
        },
        onClose: (isDone) =>
          isDone &&
          showOnce("The hook's secret", {
            label: "Secret",
            secret: made.secret,
            use: "Your backend checks the signature of every question with it, by Standard Webhooks.",
          }),
      },
      hook && h("p", { class: "note warn" }, "A changed hook gets a new secret; the one before ends at once."),
      addressField(hook?.url),
      field(
        "Time limit, in milliseconds",
        { name: "timeoutMs", type: "number", required: true, min: 100, max: 10_000, value: hook?.timeoutMs ?? 2000 },
        { hint: "100 to 10,000. Who sends a message waits for so long at most." },
      ),
      field("Without an answer", { name: "onFailure" }, { as: "select", options: ordered(hook?.onFailure) }),
    );
  }

  async function remove() {
    const text = "Messages are then accepted without a question. Its secret is gone with it.";
    if (await confirmed("Remove the hook?", text, "Remove")) await page.act(() => call("DELETE", PATH));
  }

  const none = () => [
    h("p", { class: "empty" }, "Nobody is asked. Messages are accepted as they are, and cost no call."),
    h("div", { class: "buttons" }, h("button", { type: "button", onclick: () => set(null) }, "Set up the hook")),
  ];

  const shown = (hook) => [
    facts({
      Address: hook.url,
      "Time limit": `${number(hook.timeoutMs)} ms`,
      "Without an answer": Object.fromEntries(ON_FAILURE)[hook.onFailure],
      Since: time(hook.createdAt),
    }),
    h(
      "div",
      { class: "buttons" },
      h("button", { type: "button", onclick: () => set(hook) }, "Change…"),
      h("button", { type: "button", class: "danger", onclick: remove }, "Remove…"),
    ),
  ];

  async function load() {
    try {
      body.replaceChildren(...shown(await call("GET", PATH)));
    } catch (error) {
      if (error.code === "NOT_FOUND") return body.replaceChildren(...none());
      body.replaceChildren(...unreadable(error, load));
    }
  }

  return { node, load };
}

/** What holds now comes first, and is thereby chosen. */
const ordered = (value = "refuse") => ON_FAILURE.toSorted(([one], [other]) => (other === value) - (one === value));
