/** One stream: picture, what is known of it, chat, recordings, and its owner's tools. */
import { call } from "/api.js";
import { h } from "/dom.js";
import { counted, length, number, secondsBetween, shortTime, time } from "/ui/format.js";
import { ChatView } from "./chat-view.js";
import { badge, phaseOf } from "./phase.js";
import { readRecordings, recordingsView } from "./recordings.js";
import { Stage } from "./stage.js";
import { endStream, rotateKey } from "./studio.js";

const POLL_MS = 10_000;

class StreamView {
  #vods = [];
  #drawnVods = "[]";
  /** In the chat now, as the room says; null before it has. */
  #here = null;

  constructor(id, page) {
    this.id = id;
    this.page = page;
    this.node = h("div", { class: "watch" }, h("p", { class: "loading muted" }, "Loading…"));
    this.#start();
  }

  async #start() {
    try {
      this.stream = await call("GET", `/streams/${this.id}`);
    } catch (error) {
      return this.#fail(error);
    }
    if (this.isClosed) return;
    this.isOwner = this.page.account?.id === this.stream.userId;
    this.#build();
    this.#draw();
    this.#readRecordings();
    this.#readOwner();
    this.poll = setInterval(() => !document.hidden && this.#refresh(), POLL_MS);
  }

  #fail(error) {
    const text = error.code === "NOT_FOUND" ? "There is no such stream." : error.message;
    this.node.replaceChildren(
      h("div", { class: "card missing" }, h("h1", {}, text), h("a", { class: "button", href: "#" }, "All streams")),
    );
  }

  #build() {
    this.stage = new Stage();
    this.title = h("h1", {});
    this.facts = h("p", { class: "about-line muted" });
    this.by = h("span", {});
    this.recordings = recordingsView((vod) => this.stage.play(vod));
    this.description = h("p", { class: "description prose" });
    this.node.replaceChildren(
      h("nav", { class: "crumbs", "aria-label": "Back" }, h("a", { href: "#" }, "← All streams")),
      this.stage.node,
      h("div", { class: "about" }, this.title, this.facts, this.isOwner && this.#tools()),
      this.#chat(),
      h("div", { class: "more" }, this.description, this.recordings.node),
    );
  }

  #chat() {
    if (this.page.account) {
      this.chat = new ChatView({
        stream: this.stream,
        page: this.page,
        onStatus: (status) => this.#changed(status),
        onCount: (count) => {
          this.#here = count;
          this.#draw();
        },
        onMissed: () => this.#readStream(),
      });
      return this.chat.node;
    }
    const signIn = () => this.page.needAccount("The chat is for people with an account.");
    return h(
      "section",
      { class: "chat card closed", "aria-label": "Chat" },
      h("h2", {}, "Chat"),
      h("p", { class: "muted" }, "Sign in to read the chat and to write."),
      h("button", { class: "primary", type: "button", onclick: signIn }, "Sign in"),
    );
  }

  #tools() {
    const { page } = this;
    const end = async () => {
      const ended = await endStream(this.stream);
      if (ended) this.#changed(ended);
    };
    this.end = h("button", { class: "danger", type: "button", onclick: () => page.doing(end) }, "End the stream");
    const rotate = () => page.doing(() => rotateKey(this.stream));
    return h(
      "div",
      { class: "owner buttons" },
      h("button", { type: "button", onclick: rotate }, "New stream key"),
      this.end,
    );
  }

  /** The room's news has the times, but not the most who watched. */
  #changed({ status, startTime, endTime }) {
    const isOver = this.stream.status === "live" && status === "ended";
    Object.assign(this.stream, { status, startTime, endTime });
    this.#draw();
    if (isOver) this.#readStream();
  }

  async #readStream() {
    // A view that is shown stays as it is; the next look may be luckier.
    this.stream = await call("GET", `/streams/${this.id}`).catch(() => this.stream);
    if (!this.isClosed) this.#draw();
  }

  async #readRecordings() {
    this.#vods = await readRecordings(this.id).catch(() => this.#vods);
    if (!this.isClosed) this.#draw();
  }

  async #readOwner() {
    const owner = await call("GET", `/users/${this.stream.userId}`).catch(() => null);
    if (owner) this.by.replaceChildren("by ", h("b", {}, owner.displayName ?? owner.username));
  }

  /** The chat's socket brings the news; who has no account looks now and then. Recordings come some time after the end. */
  #refresh() {
    const { page, stream } = this;
    if (!page.account) this.#readStream();
    const isFresh = stream.endTime && secondsBetween(stream.endTime, new Date()) < 600;
    if (phaseOf(stream) === "ended" && isFresh) this.#readRecordings();
    this.#draw();
  }

  #draw() {
    const { stream } = this;
    const phase = phaseOf(stream);
    document.title = `${stream.title} · Roomcast live`;
    this.title.textContent = stream.title;
    this.description.textContent = stream.description ?? "";
    this.facts.replaceChildren(badge(phase), this.#audience(phase), this.by, this.#when(phase));
    this.stage.draw(stream, this.#vods, this.isOwner);
    if (this.end) this.end.hidden = phase !== "live";
    const vods = JSON.stringify(this.#vods);
    if (vods !== this.#drawnVods) this.recordings.draw(this.#vods);
    this.#drawnVods = vods;
  }

  #audience(phase) {
    const { viewerCount } = this.stream;
    const here = this.#here ?? (phase === "live" ? viewerCount : null);
    if (phase === "ended") return h("span", { class: "audience" }, `${counted(viewerCount, "viewer")} at most`);
    return here === null
      ? ""
      : h("span", { class: "audience" }, `${number(here)} ${phase === "live" ? "watching" : "here"}`);
  }

  #when(phase) {
    const { startTime, endTime, scheduledAt } = this.stream;
    if (phase === "live") return h("span", {}, "since ", shortTime(startTime));
    if (phase === "ended") {
      const took = length(secondsBetween(startTime, endTime));
      return h("span", {}, shortTime(startTime), " to ", time(endTime, { timeStyle: "short" }), ` (${took})`);
    }
    return phase === "upcoming" ? h("span", {}, "planned for ", time(scheduledAt)) : "";
  }

  close() {
    this.isClosed = true;
    clearInterval(this.poll);
    this.chat?.close();
  }
}

export const streamView = (id, page) => new StreamView(id, page);
