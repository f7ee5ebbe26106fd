/** One message of a chat, as it is seen. */
import { h } from "/dom.js";
import { time } from "/ui/format.js";

/** The same colour for the same person, from eight that are readable on light and dark. */
const nameOf = (userId, username) => h("span", { class: `name hue-${userId % 8}` }, username);

const DELIVERED = { class: "delivered", role: "img", "aria-label": "delivered", title: "Delivered" };

/** `onDelete` and `onMute` are there for who may do that. */
export function messageItem({ id, userId, username, message, timestamp }, { isOwn, isHost, onDelete, onMute }) {
  const tool = (label, about, onclick) =>
    h("button", { class: "small", type: "button", onclick, "aria-label": about }, label);
  return h(
    "li",
    { "data-id": id },
    nameOf(userId, username),
    isHost && h("span", { class: "badge accent" }, "host"),
    h("span", { class: "when muted" }, time(timestamp, { timeStyle: "short" }), isOwn && h("span", DELIVERED, " ✓")),
    h("span", { class: "text" }, message),
    (onDelete || onMute) &&
      h(
        "span",
        { class: "tools" },
        onDelete && tool("Delete", `Delete the message by ${username}`, onDelete),
        onMute && tool("Mute", `Mute ${username}`, onMute),
      ),
  );
}

/** One's own that is on its way, or was refused. */
export function unsentItem({ message, problem }, { account, isOnline, onAgain, onDiscard }) {
  const waiting = isOnline ? "Sending…" : "Waits for the connection";
  const press = (label, onclick) => problem && h("button", { class: "plain", type: "button", onclick }, label);
  return h(
    "li",
    { class: "unsent" },
    nameOf(account.id, account.username),
    h("span", { class: "text" }, message),
    h(
      "span",
      { class: problem ? "state problem" : "state muted" },
      problem ? `Not sent. ${problem}` : waiting,
      press("Try again", onAgain),
      press("Discard", onDiscard),
    ),
  );
}
