/** What is seen of a chat: the messages, how one's own fare, and the line to write in. */
import { h } from "/dom.js";
import { shortTime } from "/ui/format.js";
import { Chat } from "./chat.js";
import { messageItem, unsentItem } from "./message.js";
import { askToMute, slowModeControl } from "./moderation.js";

const NEAR_END_PX = 60;
const LINES = { connecting: "Connecting…", broken: "Connection lost. Coming back…", open: "", over: "" };

export class ChatView {
  #items = new Map();
  #pending = new Map();
  #drawing = 0;

  constructor({ stream, page, ...listeners }) {
    this.stream = stream;
    this.page = page;
    this.account = page.account;
    this.isModerator = this.account.id === stream.userId || this.account.role !== "user";
    this.#build();
    this.chat = new Chat({
      streamId: stream.id,
      account: this.account,
      onChange: () => this.#drawSoon(),
      ...listeners,
    });
    if (this.isModerator) {
      this.slow = slowModeControl(this.chat, page);
      this.state.after(this.slow.node);
    }
  }

  #build() {
    this.state = h("span", { class: "line muted", role: "status" }, LINES.connecting);
    this.older = h("button", { class: "plain", type: "button", onclick: () => this.#loadOlder() }, "Earlier messages");
    this.log = h("ol", { class: "log" });
    this.hint = h("p", { class: "hint muted" });
    const place = { class: "scroller", role: "log", tabindex: 0, "aria-label": "Chat messages" };
    this.scroller = h("div", place, this.older, this.hint, this.log);
    this.scroller.addEventListener("scroll", () => this.#isNearEnd() && this.newer.toggleAttribute("hidden", true));
    this.newer = h(
      "button",
      { class: "small newer", type: "button", hidden: true, onclick: () => this.#toEnd() },
      "New messages ↓",
    );
    this.notice = h("p", { class: "notice muted", role: "status" });
    this.input = h("input", {
      "aria-label": "Write in the chat",
      placeholder: "Write in the chat",
      maxlength: "5000",
      autocomplete: "off",
    });
    this.send = h("button", { class: "primary", type: "submit" }, "Send");
    const form = h("form", { class: "say", onsubmit: (event) => this.#say(event) }, this.input, this.send);
    const toInput = () => this.input.focus();
    const skip = h("button", { class: "small unseen", type: "button", onclick: toInput }, "Skip the messages");
    this.node = h(
      "section",
      { class: "chat card", "aria-label": "Chat" },
      h("header", {}, h("h2", {}, "Chat"), this.state),
      skip,
      h("div", { class: "messages" }, this.scroller, this.newer),
      this.notice,
      form,
    );
  }

  #say(event) {
    event.preventDefault();
    const message = this.input.value.trim();
    if (!message) return;
    this.input.value = "";
    this.chat.say(message);
    this.#toEnd();
  }

  async #loadOlder() {
    const before = this.scroller.scrollHeight;
    await this.chat.loadOlder();
    this.#draw();
    this.scroller.scrollTop += this.scroller.scrollHeight - before;
  }

  #isNearEnd() {
    const { scrollHeight, scrollTop, clientHeight } = this.scroller;
    return scrollHeight - scrollTop - clientHeight < NEAR_END_PX;
  }

  #toEnd() {
    this.#draw();
    this.scroller.scrollTop = this.scroller.scrollHeight;
  }

  /** An ack and the message it is about come together; they are drawn together. */
  #drawSoon() {
    cancelAnimationFrame(this.#drawing);
    this.#drawing = requestAnimationFrame(() => this.#draw());
  }

  #draw() {
    const { chat } = this;
    const wasNearEnd = this.#isNearEnd();
    const last = this.log.lastElementChild;
    if (wasNearEnd) chat.trim();
    this.#place(
      this.#items,
      chat.messages,
      chat.inOrder(),
      ({ id }) => id,
      (message) => this.#message(message),
    );
    const unsent = new Map(chat.pending.map((one) => [`${one.clientMessageId} ${one.problem} ${chat.line}`, one]));
    this.#place(
      this.#pending,
      unsent,
      [...unsent],
      ([key]) => key,
      ([, one]) => this.#unsent(one),
    );
    if (wasNearEnd) this.scroller.scrollTop = this.scroller.scrollHeight;
    else if (last && last !== this.log.lastElementChild) this.newer.hidden = false;
    this.#drawRest();
  }

  /** Keeps the elements that are there, so that only what is new is read out. */
  #place(known, wanted, inOrder, keyOf, make) {
    for (const [key, item] of known) {
      if (wanted.has(key)) continue;
      // Whoever stood on its buttons is not thrown out of the chat.
      if (item.contains(document.activeElement)) this.scroller.focus();
      item.remove();
      known.delete(key);
    }
    const firstUnsent = known === this.#items ? this.#pending.values().next().value : null;
    let next = firstUnsent ?? null;
    for (const entry of inOrder.toReversed()) {
      const key = keyOf(entry);
      const item = known.get(key) ?? make(entry);
      known.set(key, item);
      if (item.nextSibling !== next || !item.isConnected) this.log.insertBefore(item, next);
      next = item;
    }
  }

  #message(message) {
    const { chat, page, isModerator } = this;
    const { id, userId, username } = message;
    const isOwn = userId === this.account.id;
    const isHost = userId === this.stream.userId;
    const onDelete = () => page.doing(() => chat.moderate("chat_delete", { messageId: id }));
    const onMute = () => page.doing(() => askToMute(chat, { userId, username }, page));
    return messageItem(message, {
      isOwn,
      isHost,
      onDelete: isModerator && onDelete,
      onMute: isModerator && userId !== null && !isOwn && !isHost && onMute,
    });
  }

  #unsent(one) {
    const { chat, account } = this;
    return unsentItem(one, {
      account,
      isOnline: chat.line === "open",
      onAgain: () => chat.again(one),
      onDiscard: () => chat.discard(one),
    });
  }

  #drawRest() {
    const { chat } = this;
    const { line, reason, problem, older, slowSeconds, mutedUntil } = chat;
    this.state.textContent = line === "over" ? reason : LINES[line];
    this.older.hidden = older === null;
    const isEmpty = chat.messages.size === 0 && chat.pending.length === 0;
    this.hint.textContent = problem || (isEmpty && line === "open" && chat.isLoaded ? "Nobody has written yet." : "");
    const isMuted = mutedUntil !== null && new Date(mutedUntil) > new Date();
    const slow = slowSeconds > 0 && !this.isModerator && `Slow mode: one message every ${slowSeconds} s.`;
    const muted = isMuted && h("span", { class: "muted-until" }, "You are muted until ", shortTime(mutedUntil), ".");
    const notice = muted || slow || "";
    // Said anew only if it is something new.
    if (this.notice.textContent !== (notice.textContent ?? notice)) this.notice.replaceChildren(notice);
    this.input.disabled = isMuted || line === "over";
    this.send.disabled = this.input.disabled;
    this.slow?.draw();
    clearTimeout(this.unmute);
    if (isMuted)
      this.unmute = setTimeout(() => this.#drawSoon(), Math.min(new Date(mutedUntil) - Date.now() + 500, 3_600_000));
  }

  close() {
    clearTimeout(this.unmute);
    cancelAnimationFrame(this.#drawing);
    this.chat.close();
  }
}
