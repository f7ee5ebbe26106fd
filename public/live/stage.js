/** Where the picture is: the stream's, if a media server's HLS is known and playable; a recording; or where to find it. */
import { h } from "/dom.js";
import { copyRow } from "/ui/copy.js";
import { length, secondsBetween, time } from "/ui/format.js";
import { canPlayHls, hlsUrl, rtmpUrl } from "./media-server.js";
import { phaseOf } from "./phase.js";

const panel = (...children) => h("div", { class: "panel" }, ...children);
const onAir = (...children) => h("div", { class: "panel on-air" }, ...children);

/** Whether this browser plays it; what it does not play is a download. */
export const isPlayable = ({ mimeType }) => document.createElement("video").canPlayType(mimeType) !== "";

/** Nothing is loaded before it is played: the service counts a view when it is. */
const video = (src, poster) => h("video", { src, poster, controls: true, playsinline: true, preload: "none" });

function live(stream) {
  const hls = hlsUrl(stream.id);
  if (hls && canPlayHls()) {
    const { host } = new URL(hls);
    const player = video(hls, stream.thumbnail);
    const again = h("button", { class: "plain", type: "button", onclick: () => player.load() }, "Try again");
    const problem = h("p", { class: "problem", role: "alert" });
    // The first seconds of a broadcast have no playlist yet.
    player.addEventListener("error", () => problem.replaceChildren(`${host} has no playable video yet. `, again));
    player.addEventListener("loadstart", () => problem.replaceChildren());
    return h("div", { class: "player" }, player, h("div", { class: "source muted" }, `Video from ${host}`, problem));
  }
  return onAir(
    h("h2", {}, "On the air"),
    h("p", {}, "The video comes from the media server. Open its address in a player such as VLC or ffplay:"),
    copyRow("Video", rtmpUrl(stream.id)).node,
  );
}

function upcoming({ scheduledAt }) {
  const wait = secondsBetween(new Date(), scheduledAt);
  return panel(h("h2", {}, `Starts in ${length(wait)}`), h("p", {}, time(scheduledAt)));
}

const waiting = (isOwner) =>
  panel(
    h("h2", {}, "Not started yet"),
    h(
      "p",
      {},
      isOwner
        ? "Start your encoder with the stream key; this page goes live by itself."
        : "This page goes live by itself.",
    ),
  );

const over = () =>
  panel(
    h("h2", {}, "The stream has ended"),
    h("p", {}, "A recording shows up here once the media server has sent it."),
  );

export class Stage {
  node = h("div", { class: "stage" });
  #drawn = "";
  #chosen = null;

  play(vod) {
    this.#chosen = vod;
    this.#drawn = `vod ${vod.id}`;
    const player = video(vod.url, vod.thumbnail);
    this.node.replaceChildren(player);
    // Pressed by a person, so the browser lets it sound.
    player.play().catch(() => {});
    player.focus();
    player.scrollIntoView({ block: "nearest" });
  }

  /** Draws anew only when something else is to be seen, so that what plays goes on. */
  draw(stream, vods, isOwner) {
    const phase = phaseOf(stream);
    if (this.#chosen && phase !== "live") return;
    const newest = phase === "ended" && vods.find(isPlayable);
    const minute = phase === "upcoming" && Math.floor(Date.now() / 60_000);
    const state = [phase, newest?.id, minute, stream.startTime].join();
    if (state === this.#drawn) return;
    this.#drawn = state;
    this.#chosen = null;
    this.node.replaceChildren(this.#shown(stream, phase, newest, isOwner));
  }

  #shown(stream, phase, newest, isOwner) {
    if (phase === "live") return live(stream);
    if (phase === "upcoming") return upcoming(stream);
    if (phase === "waiting") return waiting(isOwner);
    return newest ? video(newest.url, newest.thumbnail ?? stream.thumbnail) : over();
  }
}
