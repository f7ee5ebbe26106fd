/** What one is notified of while no page is open: in this browser or not, of what, and when not. */
import { call, logFault } from "/api.js";
import { h } from "/dom.js";
import { canPush, isPushOn, switchPushOff, switchPushOn } from "/push.js";
import { choices, chosen, field, onSend, submitButton } from "/ui/form.js";
import { notify, notifyFailure } from "/ui/notice.js";
import { section, workButton } from "./section.js";

const KINDS = [
  ["messages", "Messages", "direct ones, and those of private rooms"],
  ["notifications", "Notifications", "mentions, likes, comments and followers"],
];

const BLOCKED = "This browser was told not to notify you. Allow it in the settings of this page, then try again.";

/** The switch of this browser. */
function browserSwitch() {
  const node = h("p", { class: "push" });
  async function draw() {
    const isOn = await isPushOn();
    const state = h("span", { class: `badge ${isOn ? "good" : ""}` }, isOn ? "On" : "Off");
    const button = workButton(isOn ? "Switch off in this browser" : "Switch on in this browser", "", () =>
      (isOn ? off() : on()).catch(failed),
    );
    node.replaceChildren(state, " ", button);
  }
  async function on() {
    if (!(await switchPushOn())) return notify(BLOCKED, "bad");
    notify("This browser notifies you while no page is open.");
    await draw();
  }
  async function off() {
    await switchPushOff();
    notify("This browser notifies you no more.");
    await draw();
  }
  draw().catch(failed);
  return node;
}

function failed(error) {
  if (error.code !== undefined) return notifyFailure(error);
  console.error(error);
  return notify("The browser could not be registered with its push service.", "bad");
}

const timeField = (label, name, value) => field(label, { name, type: "time", value: value ?? "" });

function settingsForm({ messages, notifications, quietHours }) {
  const ticked = [messages && "messages", notifications && "notifications"].filter(Boolean);
  const timeZone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const form = h(
    "form",
    { class: "form" },
    choices("Of", "of", KINDS, ticked),
    h(
      "div",
      { class: "two" },
      timeField("Quiet from", "from", quietHours?.from),
      timeField("until", "to", quietHours?.to),
    ),
    h("small", { class: "muted" }, `In ${quietHours?.timeZone ?? timeZone}. What comes then is told when they end.`),
    h("div", {}, submitButton("Save", "")),
  );
  onSend(form, async ({ from, to }) => {
    const of = chosen(form, "of");
    await call("PATCH", "/push/settings", {
      messages: of.includes("messages"),
      notifications: of.includes("notifications"),
      quietHours: from && to ? { from, to, timeZone } : null,
    });
    notify("Saved.");
  });
  return form;
}

export function notificationsSection() {
  const body = h("div", {}, h("p", { class: "muted" }, "Loading…"));
  const tell = (text) => body.replaceChildren(h("p", { class: "muted last" }, text));
  async function load() {
    try {
      await call("GET", "/push/key");
      const settings = await call("PATCH", "/push/settings", {});
      const here = canPush() ? browserSwitch() : h("p", { class: "note" }, "This browser has no Web Push.");
      body.replaceChildren(here, settingsForm(settings));
    } catch (error) {
      logFault(error);
      tell(error.message);
    }
  }
  load();
  return section("Notifications", "By your browser, while no page of ours is open.", body);
}
