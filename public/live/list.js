/** The list: live first, then what is to come, one's own that have not begun, and what is over. */
import { call, logFault } from "/api.js";
import { h } from "/dom.js";
import { counted, length, number, secondsBetween, shortTime, time } from "/ui/format.js";
import { badge, phaseOf } from "./phase.js";
import { createStream } from "./studio.js";

const POLL_MS = 10_000;
const ENDED_STEP = 12;
const MOST = 100;

/** When, or for how long, in a few words. */
function moment(stream, phase) {
  if (phase === "live") return h("span", {}, "since ", shortTime(stream.startTime));
  if (phase === "upcoming") return h("span", {}, time(stream.scheduledAt));
  if (phase === "waiting") return h("span", {}, "made ", shortTime(stream.createdAt));
  return h("span", {}, shortTime(stream.startTime), `, ${length(secondsBetween(stream.startTime, stream.endTime))}`);
}

function card(stream, ownId) {
  const phase = phaseOf(stream);
  const picture = h("div", { class: "thumb" });
  if (stream.thumbnail) picture.append(h("img", { src: stream.thumbnail, alt: "", loading: "lazy" }));
  picture.append(badge(phase));
  if (stream.userId === ownId) picture.append(h("span", { class: "badge yours" }, "Yours"));
  if (phase === "live")
    picture.append(h("span", { class: "badge watching" }, `${number(stream.viewerCount)} watching`));
  return h(
    "li",
    {},
    h(
      "a",
      { class: "stream-card", href: `#${stream.id}` },
      picture,
      h("strong", {}, stream.title),
      h(
        "span",
        { class: "muted" },
        moment(stream, phase),
        phase === "ended" && ` · ${counted(stream.viewerCount, "viewer")} at most`,
      ),
    ),
  );
}

/** A heading with cards. Drawn anew only when something changed, so that focus and pointer stay where they are. */
class Section {
  #drawn = "";

  constructor(title, empty) {
    this.empty = empty;
    this.list = h("ul", { class: "cards" });
    this.node = h("section", { class: "streams" }, h("h2", {}, title), this.list);
    this.node.hidden = true;
  }

  draw(streams, ownId) {
    const state = JSON.stringify([streams, ownId]);
    if (state === this.#drawn) return;
    this.#drawn = state;
    const focused = this.list.contains(document.activeElement) ? document.activeElement.getAttribute("href") : null;
    this.node.hidden = streams.length === 0 && !this.empty;
    const none = h("li", { class: "none empty" }, this.empty ?? "");
    this.list.replaceChildren(...(streams.length > 0 ? streams.map((stream) => card(stream, ownId)) : [none]));
    if (focused) this.list.querySelector(`[href="${focused}"]`)?.focus();
  }
}

export function listView(page) {
  const sections = {
    live: new Section("Live now", "Nobody is live at the moment. Be the first: create a stream."),
    upcoming: new Section("Upcoming"),
    waiting: new Section("Yours, not started yet"),
    ended: new Section("Ended"),
  };
  let endedLimit = ENDED_STEP;
  const problem = h("p", { class: "note bad", role: "alert" });
  const more = h("button", { type: "button", onclick: () => showMore() }, "Show more");
  more.hidden = true;
  const begin = async () => {
    if (await page.needAccount("Streams belong to an account.")) createStream();
  };
  const create = h("button", { class: "primary", type: "button", onclick: begin }, "Create a stream");
  const loading = h("p", { class: "muted", role: "status" }, "Loading…");
  const node = h(
    "div",
    { class: "wrap list" },
    h(
      "header",
      { class: "head" },
      h(
        "div",
        {},
        h("h1", {}, "Live streams"),
        h("p", { class: "muted" }, page.account ? "Watch, or go live yourself." : "Watching needs no account."),
      ),
      create,
    ),
    problem,
    loading,
    ...Object.values(sections).map((section) => section.node),
    more,
  );

  async function load() {
    try {
      const ask = (status, limit) => call("GET", `/streams?status=${status}&limit=${limit}`);
      const ownId = page.account?.id;
      const [live, upcoming, ended, all] = await Promise.all([
        ask("live", MOST),
        ask("upcoming", MOST),
        ask("ended", endedLimit),
        ownId ? ask("all", MOST) : { streams: [] },
      ]);
      problem.textContent = "";
      sections.live.draw(live.streams, ownId);
      sections.upcoming.draw(upcoming.streams, ownId);
      // One that never began counts as ended; they stand last there.
      const over = ended.streams.filter(({ startTime }) => startTime !== null);
      sections.ended.draw(over, ownId);
      more.hidden = over.length < endedLimit || endedLimit >= MOST;
      const own = all.streams.filter((stream) => stream.userId === ownId && phaseOf(stream) === "waiting");
      sections.waiting.draw(own, ownId);
    } catch (error) {
      logFault(error);
      problem.textContent = error.message;
    } finally {
      loading.remove();
    }
  }

  async function showMore() {
    endedLimit = Math.min(MOST, endedLimit * 2);
    await load();
  }

  load();
  const poll = setInterval(() => !document.hidden && load(), POLL_MS);
  return { node, close: () => clearInterval(poll) };
}
