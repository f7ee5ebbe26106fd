/** The try-it panel: a client of the public API like any other, with two event sockets. */
import { h } from "/dom.js";

/** Made by `npm start` on a developer's machine; no other service has them. */
const DEMO = [
  { username: "demo", password: "demo-password" },
  { username: "friend", password: "demo-password" },
];
const FRAMES_SHOWN = 200;
const TYPING_EVERY_MS = 7000;
const BEAT_MS = 25_000;

const byId = (id) => document.getElementById(id);
const start = byId("demo-start");
let frameCount = 0;

async function post(path, body, token) {
  const response = await fetch(`/api/v1${path}`, {
    method: "POST",
    headers: { "Content-Type": "application/json", ...(token ? { Authorization: `Bearer ${token}` } : {}) },
    body: JSON.stringify(body),
  });
  const answer = await response.json();
  if (!response.ok) throw new Error(answer.error?.message ?? `The service answered ${response.status}.`);
  return answer;
}

function showFrame(who, direction, text) {
  frameCount += 1;
  byId("frame-count").textContent = String(frameCount);
  const list = byId("frames");
  const arrow = direction === "in" ? "→" : "←";
  list.append(h("li", {}, `${who.padEnd(7)} `, h("span", { class: direction }, arrow), ` ${text}`));
  if (list.children.length > FRAMES_SHOWN) list.firstChild.remove();
  list.scrollTop = list.scrollHeight;
}

/** One person's side of the talk. */
class Pane {
  constructor({ username, password }) {
    this.username = username;
    this.password = password;
    this.state = h("span", { class: "badge" }, "not connected");
    this.talk = h(
      "ol",
      { class: "talk", "aria-label": `What ${username} sees` },
      h("li", { class: "hint" }, "Connect both to begin."),
    );
    this.typing = h("div", { class: "typing", "aria-live": "polite" });
    this.input = h("input", {
      class: "field",
      placeholder: `Write as ${username}`,
      "aria-label": `Write as ${username}`,
      maxlength: "500",
      disabled: "",
    });
    this.button = h("button", { class: "button", disabled: "" }, "Send");
    this.form = h("form", { class: "say", autocomplete: "off" }, this.input, this.button);
    this.element = h(
      "article",
      { class: "card pane" },
      h("header", {}, h("strong", {}, username), this.state),
      this.talk,
      this.typing,
      this.form,
    );
    this.form.addEventListener("submit", (event) => this.say(event));
    this.input.addEventListener("input", () => this.showTyping());
    this.typedAt = 0;
  }

  async connect() {
    this.become("connecting", "warn");
    const { token, user } = await post("/auth/login", { username: this.username, password: this.password });
    this.token = token;
    this.id = user.id;
    const { ticket } = await post("/auth/ws-ticket", {}, token);
    await this.open(ticket);
  }

  open(ticket) {
    return new Promise((resolve, reject) => {
      const url = new URL(`/api/v1/ws?ticket=${ticket}&heartbeat=client`, location.href);
      url.protocol = url.protocol.replace("http", "ws");
      this.socket = new WebSocket(url);
      this.socket.addEventListener("message", ({ data }) => {
        if (data === "pong") return;
        showFrame(this.username, "in", data);
        const frame = JSON.parse(data);
        if (frame.type === "connected") resolve();
        this.take(frame);
      });
      this.socket.addEventListener("close", ({ code, reason }) => {
        clearInterval(this.beat);
        this.become(`closed (${code})`, "bad");
        this.enable(false);
        start.disabled = false;
        reject(new Error(`The socket closed: ${code} ${reason}`));
      });
      this.beat = setInterval(() => this.socket.readyState === WebSocket.OPEN && this.socket.send("ping"), BEAT_MS);
    });
  }

  ready(other) {
    this.other = other;
    this.become("connected", "good");
    this.enable(true);
    this.talk.replaceChildren(h("li", { class: "hint" }, `Say something to ${other.username}.`));
  }

  become(text, kind) {
    this.state.textContent = text;
    this.state.className = `badge ${kind}`;
  }

  enable(isOn) {
    this.input.disabled = !isOn;
    this.button.disabled = !isOn;
  }

  take({ type, data }) {
    if (type === "message:typing" && data.userId === this.other?.id) {
      this.typing.textContent = `${this.other.username} is typing…`;
      clearTimeout(this.forgetTyping);
      this.forgetTyping = setTimeout(() => this.typing.replaceChildren(), 3000);
    }
    if (type !== "message:new" || ![data.senderId, data.receiverId].includes(this.other?.id)) return;
    this.talk.querySelector(".hint")?.remove();
    if (data.senderId !== this.id) this.typing.replaceChildren();
    this.talk.append(h("li", data.senderId === this.id ? { class: "own" } : {}, data.content));
    this.talk.scrollTop = this.talk.scrollHeight;
  }

  showTyping() {
    if (Date.now() - this.typedAt < TYPING_EVERY_MS || this.socket?.readyState !== WebSocket.OPEN) return;
    this.typedAt = Date.now();
    const text = JSON.stringify({ type: "message:typing", data: { conversationWith: this.other.id } });
    showFrame(this.username, "out", text);
    this.socket.send(text);
  }

  async say(event) {
    event.preventDefault();
    const content = this.input.value.trim();
    if (!content) return;
    this.input.value = "";
    this.typedAt = 0;
    try {
      await post("/messages", { receiverId: this.other.id, content }, this.token);
    } catch (error) {
      this.typing.textContent = error.message;
      this.input.value = content;
    }
  }
}

const panes = DEMO.map((account) => new Pane(account));
byId("panes").append(...panes.map(({ element }) => element));

start.addEventListener("click", async () => {
  start.disabled = true;
  try {
    const [one, two] = panes;
    for (const { socket } of panes) socket?.close();
    await Promise.all(panes.map((pane) => pane.connect()));
    one.ready(two);
    two.ready(one);
    start.textContent = "Connected";
    start.disabled = true;
    one.input.focus();
  } catch (error) {
    byId("demo-note").textContent =
      `${error.message} The demo accounts exist only where the service was started with npm start.`;
    for (const pane of panes) if (pane.socket?.readyState !== WebSocket.OPEN) pane.become("not connected", "");
    start.disabled = false;
  }
});
