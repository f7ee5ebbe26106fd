/** One person's side of the talk. */
import { call } from "/api.js";
import { h } from "/dom.js";
import { PageSocket } from "/page-socket.js";

/** A sign of typing holds so long with who sees it, and is sent again a little before. */
const TYPING_SHOWN_MS = 8000;
const TYPING_EVERY_MS = 7000;

export class Person {
  #token;
  #socket;
  #typedAt = 0;
  #silence;

  /** `onWire(name, direction, text)`: every frame of theirs. */
  constructor(name, onWire) {
    this.name = name;
    this.onWire = onWire;
    this.state = h("span", { class: "badge", role: "status" }, "not connected");
    this.title = h("strong", {}, name);
    this.talk = h("ol", {});
    this.scroller = h("div", { class: "talk", tabindex: 0, role: "log", "aria-label": `What ${name} sees` }, this.talk);
    this.typing = h("div", { class: "typing", "aria-live": "polite" });
    const label = `Write as ${name}`;
    this.input = h("input", {
      placeholder: label,
      "aria-label": label,
      maxlength: 500,
      disabled: true,
      autocomplete: "off",
      oninput: () => this.#tellTyping(),
    });
    this.button = h("button", { type: "submit", disabled: true }, "Send");
    this.node = h(
      "article",
      { class: "card pane" },
      h("header", {}, this.title, this.state),
      this.scroller,
      this.typing,
      h("form", { class: "say", onsubmit: (event) => this.#say(event) }, this.input, this.button),
    );
    this.#hint("Connect both to begin.");
  }

  #hint(text) {
    this.talk.replaceChildren(h("li", { class: "hint" }, text));
  }

  /** Resolves when the socket is open for the first time; it comes back by itself after a break. */
  connect({ token, user }) {
    this.#token = token;
    this.id = user.id;
    this.title.textContent = user.username;
    this.#become("connecting", "warn");
    return new Promise((resolve, reject) => {
      this.#socket = new PageSocket("/ws", {
        token,
        onOpen: () => {
          this.#become("connected", "good");
          resolve();
        },
        on: {
          "message:typing": (sign) => this.#showTyping(sign),
          "message:new": (message) => this.#show(message),
        },
        onBreak: () => this.#become("reconnecting", "warn"),
        onOver: (reason) => {
          this.#become("closed", "bad");
          reject(new Error(reason));
        },
        onWire: (direction, text) => this.onWire(this.name, direction, text),
      });
    });
  }

  meet(other) {
    this.other = other;
    this.#hint(`Say something to ${other.name}.`);
  }

  close() {
    this.#socket?.close();
    this.#become("not connected", "");
  }

  #become(text, kind) {
    this.state.textContent = text;
    this.state.className = `badge ${kind}`;
    this.input.disabled = this.button.disabled = text !== "connected";
  }

  #showTyping({ userId }) {
    if (userId !== this.other?.id) return;
    this.typing.textContent = `${this.other.name} is typing…`;
    clearTimeout(this.#silence);
    this.#silence = setTimeout(() => this.typing.replaceChildren(), TYPING_SHOWN_MS);
  }

  #show({ senderId, receiverId, content }) {
    if (![senderId, receiverId].includes(this.other?.id)) return;
    this.talk.querySelector(".hint")?.remove();
    const isOwn = senderId === this.id;
    if (!isOwn) this.typing.replaceChildren();
    this.talk.append(h("li", { class: isOwn && "own" }, content));
    this.scroller.scrollTop = this.scroller.scrollHeight;
  }

  #tellTyping() {
    if (Date.now() - this.#typedAt < TYPING_EVERY_MS) return;
    this.#typedAt = Date.now();
    // Nobody waits for it: one that is lost is followed by another.
    this.#socket.ask("message:typing", { conversationWith: this.other.id }).catch(() => {});
  }

  async #say(event) {
    event.preventDefault();
    const content = this.input.value.trim();
    if (!content) return;
    this.input.value = "";
    this.#typedAt = 0;
    try {
      await call("POST", "/messages", { receiverId: this.other.id, content }, { token: this.#token });
    } catch (error) {
      this.typing.textContent = error.message;
      this.input.value = content;
    }
  }
}
